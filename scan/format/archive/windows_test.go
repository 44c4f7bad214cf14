package archive

import (
	"bufio"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
)

// Many streams with large dictionaries cost more to prepare for than to read.
func TestWindowsAreCountedTogether(t *testing.T) {
	one, err := os.ReadFile("testdata/eicar.com.xz")
	if err != nil {
		t.Fatal(err)
	}
	one = patch(t, one, edit{"\x21\x01", 2, "\x10"}) // 1 MB
	for streams, whole := range map[int]bool{10: true, 11: false} {
		in := bufio.NewReader(strings.NewReader(strings.Repeat(string(one), streams)))
		text, err := io.ReadAll(newUnxz(in, &windows{most: 1 << 20, left: 10 << 20, budget: NewBudget(Limits{})}))
		if whole != (err == nil) || err != nil && !errors.Is(err, errWindow) || len(text) != 10*len(eicar) {
			t.Errorf("%d streams: %d bytes, %v", streams, len(text), err)
		}
	}
	if _, err := io.ReadAll(newUnxz(bufio.NewReader(strings.NewReader(string(one))), newWindows(NewBudget(Limits{}), 1<<19))); !errors.Is(err, errWindow) {
		t.Errorf("one stream: %v", err)
	}
}
