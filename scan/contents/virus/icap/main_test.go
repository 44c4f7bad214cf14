package icap

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain fails when the client, or the fake, leaves a goroutine behind.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
