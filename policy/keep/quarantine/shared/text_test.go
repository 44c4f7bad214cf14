package shared

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

func FuzzEscape(f *testing.F) {
	for _, s := range []string{"", "\x00", `\u0000`, `\\u0000`, "\ue000", "\ue0000", "\ue000E\x00", "a\\", "\xff", strings.Repeat("ü", 600)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		text, err := json.Marshal(map[string]string{"text": s})
		if err != nil {
			t.Fatal(err)
		}
		escaped := escape(bytes.Clone(text))
		var got map[string]string
		if err := json.Unmarshal(escaped, &got); err != nil || strings.ContainsRune(got["text"], 0) {
			t.Errorf("%q: %q, %v", s, escaped, err)
		}
		if back := unescape(escaped); !bytes.Equal(back, text) {
			t.Errorf("%q came back as %q", text, back)
		}
	})
}

func TestChunks(t *testing.T) {
	for _, size := range []int{0, 1, 9, 10, 11, 19, 20, 21, 30} {
		whole := bytes.Repeat([]byte("x"), size)
		for _, step := range []int{1, 3, 10, 100} {
			var got []byte
			next := 0
			c := &chunks{size: 10, put: func(n int, data []byte) error {
				if n != next || len(data) > 10 || len(data) == 0 {
					t.Errorf("piece %d of %d bytes", n, len(data))
				}
				next++
				got = append(got, data...)
				return nil
			}}
			for rest := whole; len(rest) > 0; rest = rest[min(step, len(rest)):] {
				if _, err := c.Write(rest[:min(step, len(rest))]); err != nil {
					t.Fatal(err)
				}
			}
			if err := c.end(); err != nil || !bytes.Equal(got, whole) || c.written != int64(size) {
				t.Errorf("%d by %d: %d, %v", size, step, len(got), err)
			}
		}
	}
}
