package cli

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// lineWidth is how long lines of running text are.
const lineWidth = 100

// Wrap writes text in lines of the usual width, each after an indent.
func Wrap(w io.Writer, indent, text string) {
	line := indent
	for _, word := range strings.Fields(text) {
		if line != indent && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > lineWidth {
			fmt.Fprintln(w, line)
			line = indent
		}
		if line != indent {
			line += " "
		}
		line += word
	}
	if line != indent {
		fmt.Fprintln(w, line)
	}
}
