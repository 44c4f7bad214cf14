package accounts_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login/accounts"
	"github.com/milterscan/milterscan/cmd/milterscan/console/login/accounts/accountstest"
)

// TestContract holds files to what all accounts promise.
func TestContract(t *testing.T) {
	accountstest.Run(t, accountstest.With{
		Open: func(t *testing.T) (here, there *accounts.Accounts) {
			path := filepath.Join(t.TempDir(), "console.db")
			here, there = accounts.New(path), accounts.New(path)
			t.Cleanup(func() { here.Close(); there.Close() })
			return here, there
		},
		Code: func(secret string) (string, error) { return totp.GenerateCode(secret, time.Now()) },
	})
}
