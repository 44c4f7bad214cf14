package dmarc_test

import (
	"path/filepath"
	"testing"

	"github.com/milterscan/milterscan/policy/dmarc"
	"github.com/milterscan/milterscan/policy/dmarc/dmarctest"
)

// TestFile: what every store promises, two processes with one file promise.
func TestFile(t *testing.T) {
	dmarctest.Run(t, func(t *testing.T) (here, there dmarctest.Side) {
		file := filepath.Join(t.TempDir(), "dmarc.db")
		open := func() dmarctest.Side {
			s := dmarc.NewFile(file)
			t.Cleanup(func() { s.Close() })
			return dmarctest.Side{Store: s, Host: "mx"}
		}
		return open(), open()
	})
}
