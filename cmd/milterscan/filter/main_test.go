package filter

import (
	"testing"

	"github.com/milterscan/milterscan/tests/child"
)

// TestMain lets the test binary start itself as the child that reads archives.
func TestMain(m *testing.M) { child.Run(m) }
