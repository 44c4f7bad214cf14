package markup

import (
	"fmt"
	"strconv"
	"strings"
)

// transparent is the colour of what cannot be seen.
const transparent = "transparent"

// color returns a colour in one of the ways to write it, for comparing: "image" for a
// background that is no colour, "" for no background.
func color(value string) string {
	value = strings.ToLower(strings.TrimSpace(value))
	switch value {
	case "", "none", "inherit", "initial", "unset", "currentcolor":
		return ""
	}
	if strings.Contains(value, "url(") || strings.Contains(value, "gradient") {
		return "image"
	}
	if hex, ok := mixture(value); ok {
		return hex
	}
	value, _, _ = strings.Cut(value, " ")
	if hex, ok := colours[value]; ok {
		return hex
	}
	hex := strings.TrimPrefix(value, "#")
	if strings.Trim(hex, "0123456789abcdef") != "" {
		return value
	}
	switch len(hex) {
	case 4, 8:
		if strings.Trim(hex[len(hex)*3/4:], "0") == "" {
			return transparent
		}
		hex = hex[:len(hex)*3/4]
	}
	switch len(hex) {
	case 3:
		return "#" + string([]byte{hex[0], hex[0], hex[1], hex[1], hex[2], hex[2]})
	case 6:
		return "#" + hex
	}
	return value
}

// mixture returns a colour that begins with how much red, green and blue is in it (CSS Color,
// section 5.1).
func mixture(value string) (hex string, ok bool) {
	inside, ok := strings.CutPrefix(value, "rgb")
	inside = strings.TrimPrefix(inside, "a")
	if !ok || !strings.HasPrefix(inside, "(") {
		return "", false
	}
	inside, _, _ = strings.Cut(inside[1:], ")")
	fields := strings.FieldsFunc(inside, func(r rune) bool { return r == ',' || r == '/' || r == ' ' })
	if len(fields) < 3 {
		return "", false
	}
	if len(fields) > 3 && portion(fields[3], 1) == 0 {
		return transparent, true
	}
	return fmt.Sprintf("#%02x%02x%02x", portion(fields[0], 255), portion(fields[1], 255), portion(fields[2], 255)), true
}

// portion returns a number, or a part in percent of 255, between 0 and 255. One as is, most,
// is 255.
func portion(field string, most float64) int {
	number, percent := strings.CutSuffix(field, "%")
	n, err := strconv.ParseFloat(number, 64)
	if err != nil {
		return 0
	}
	if percent {
		most = 100
	}
	return int(max(0, min(255, n*255/most+0.5)))
}

// colours are the colours whose names mail uses (CSS Color, section 6.1).
var colours = map[string]string{
	"white": "#ffffff", "black": "#000000", "red": "#ff0000", "green": "#008000", "blue": "#0000ff", "navy": "#000080",
	"gray": "#808080", "grey": "#808080", "silver": "#c0c0c0", "maroon": "#800000", "purple": "#800080", "teal": "#008080",
	"olive": "#808000", "lime": "#00ff00", "aqua": "#00ffff", "cyan": "#00ffff", "fuchsia": "#ff00ff", "magenta": "#ff00ff",
	"yellow": "#ffff00", "orange": "#ffa500", "darkblue": "#00008b", "darkgreen": "#006400", "darkred": "#8b0000",
	"midnightblue": "#191970", "indigo": "#4b0082", "darkslategray": "#2f4f4f", "darkgray": "#a9a9a9", "dimgray": "#696969",
	"whitesmoke": "#f5f5f5", "snow": "#fffafa", "ivory": "#fffff0", "ghostwhite": "#f8f8ff", "lightgray": "#d3d3d3", "lightgrey": "#d3d3d3",
	"beige": "#f5f5dc", "lightyellow": "#ffffe0", "brown": "#a52a2a", "gold": "#ffd700", "pink": "#ffc0cb",
}
