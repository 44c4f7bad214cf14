package virus

import (
	"context"
	"crypto/x509"
	"fmt"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/contents/virus/icap"
	"github.com/milterscan/milterscan/scan/units"
)

// icapService is a service that is asked over ICAP.
type icapService struct{ *icap.Client }

// icapEngine returns an engine whose servers are ICAP services.
func icapEngine(c Config) (*Engine, error) {
	roots, err := certificates(c.CAFile)
	if err != nil {
		return nil, err
	}
	var servers []Server
	for _, a := range c.Address {
		client, err := icap.New(a, roots)
		if err != nil {
			return nil, err
		}
		servers = append(servers, icapService{client})
	}
	return NewEngine(c, servers...), nil
}

func checkICAP(c Config, check *units.Check) {
	check.If(len(c.Address) == 0, "address", "it is missing; write \"icap://host:1344/service\"")
	c.checkAddresses(check, func(a string) error { _, err := icap.New(a, nil); return err })
}

// certificates reads the authorities in a file.
func certificates(file string) (*x509.CertPool, error) {
	pool, err := units.Authorities(file)
	if err != nil {
		return nil, fmt.Errorf("ca_file: %w", err)
	}
	return pool, nil
}

// Ask asks about one content.
func (s icapService) Ask(ctx context.Context, c scan.Content) (string, error) {
	v, err := s.Scan(ctx, readable{c})
	if err != nil || !v.Infected {
		return "", err
	}
	if v.Threat == "" {
		return unnamed, nil
	}
	return v.Threat, nil
}

// Database returns the tag that changes with the service's verdicts.
func (s icapService) Database(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, statsTime)
	defer cancel()
	o, err := s.Options(ctx)
	if err != nil {
		return ""
	}
	return o.ISTag
}

// Health asks for the service's options.
func (s icapService) Health(ctx context.Context) (Health, error) {
	o, err := s.Options(ctx)
	h := Health{Address: s.String(), Version: o.Service, Database: o.ISTag}
	h.Stats = fmt.Sprintf("%s, preview %d, 204 %t", o.Method, o.Preview, o.Allow204)
	return h, err
}

// readable is a content whose failures are told from those of a server.
type readable struct{ scan.Content }

func (r readable) ReadAt(p []byte, off int64) (int, error) {
	n, err := r.Content.ReadAt(p, off)
	if err != nil && n < len(p) && off+int64(n) < r.Size() {
		err = newReadError(off, r.Size(), err)
	}
	return n, err
}
