package door

import (
	"fmt"
	"image/color"
	"regexp"
	"strings"
	"testing"

	"github.com/boombuler/barcode/qr"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login/accounts"
)

// TestDrawn: the picture has every square of the code, black where it is, and the margin that readers need.
func TestDrawn(t *testing.T) {
	key, err := accounts.NewSecond("milterscan mx.example.com", strings.Repeat("n", 128))
	if err != nil {
		t.Fatal(err)
	}
	picture, err := drawn(key.URL())
	if err != nil {
		t.Fatal(err)
	}
	code, err := qr.Encode(key.URL(), qr.M, qr.Auto)
	if err != nil {
		t.Fatal(err)
	}
	size, black := code.Bounds().Dx(), map[string]bool{}
	for _, m := range regexp.MustCompile(`M(\d+) (\d+)h(\d+)v1h-(\d+)z`).FindAllStringSubmatch(string(picture), -1) {
		var x, y, n, back int
		fmt.Sscan(strings.Join(m[1:], " "), &x, &y, &n, &back)
		if n < 1 || n != back {
			t.Errorf("%s", m[0])
		}
		for i := range n {
			black[fmt.Sprint(x+i-quiet, y-quiet)] = true
		}
	}
	for x := range size {
		for y := range size {
			if want := code.At(x, y) == color.Black; black[fmt.Sprint(x, y)] != want {
				t.Fatalf("%d, %d: black is %v", x, y, want)
			}
			delete(black, fmt.Sprint(x, y))
		}
	}
	if len(black) > 0 || !strings.Contains(string(picture), fmt.Sprintf(`viewBox="0 0 %[1]d %[1]d"`, size+8)) {
		t.Errorf("%d squares are outside; %.300s", len(black), picture)
	}
	if _, err := drawn(strings.Repeat("x", 10<<10)); err == nil {
		t.Error("10 KB are drawn")
	}
}
