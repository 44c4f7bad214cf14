package units

import (
	"crypto/x509"
	"fmt"
	"os"
)

// Authorities reads the certificates in a file of PEM, by which those of servers or clients are checked; nil, which are those
// of the system, without a file.
func Authorities(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s holds no certificate", file)
	}
	return pool, nil
}
