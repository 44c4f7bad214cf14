package door

import (
	"fmt"
	"html/template"
	"image/color"
	"strings"

	"github.com/boombuler/barcode/qr"
)

// quiet is the margin that readers of such pictures need, in squares (ISO/IEC 18004, section 6.3.8).
const quiet = 4

// drawn returns a text as a picture that phones read. It is black on white on dark pages, too.
func drawn(text string) (template.HTML, error) {
	code, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return "", err
	}
	size := code.Bounds().Dx()
	var path strings.Builder
	for y := range size {
		for x := 0; x < size; x++ {
			run := x
			for run < size && code.At(run, y) == color.Black {
				run++
			}
			if run > x {
				fmt.Fprintf(&path, "M%d %dh%dv1h-%dz", x+quiet, y+quiet, run-x, run-x)
				x = run
			}
		}
	}
	all := size + 2*quiet
	return template.HTML(fmt.Sprintf(`<svg class="qr" role="img" aria-labelledby="qr-title" viewBox="0 0 %d %d" `+
		`width="240" height="240" shape-rendering="crispEdges"><title id="qr-title">QR</title>`+
		`<rect width="%d" height="%d" fill="#fff"/><path fill="#000" d="%s"/></svg>`, all, all, all, all, path.String())), nil
}
