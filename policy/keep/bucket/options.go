package bucket

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/minio/minio-go/v7/pkg/s3utils"

	"github.com/milterscan/milterscan/scan/units"
)

// Options say where a bucket is, and how it is reached.
type Options struct {
	Endpoint  string // "https://s3.eu-central-1.amazonaws.com"
	Bucket    string
	Region    string
	Prefix    string // with which all names begin
	PathStyle bool   // the bucket is part of the path, not of the host's name
	CAFile    string // with the authorities of the server's certificate; "" for those of the system
	// AccessKey and SecretKey return the key, and are asked for each request.
	AccessKey, SecretKey func() (string, error)
	Encryption           Encryption
	Key                  string        // of EncryptKMS; "" for the server's choice
	Patience             time.Duration // that mail has for each piece of an object
}

// Encryption says how a server is asked to encrypt what it keeps.
type Encryption string

// The ways: none is asked for, by keys of the server, or by keys of a KMS.
const (
	EncryptNone Encryption = ""
	EncryptOwn  Encryption = "AES256"
	EncryptKMS  Encryption = "aws:kms"
)

// UnmarshalText reads a word of the configuration.
func (e *Encryption) UnmarshalText(text []byte) error {
	return units.ReadWord(e, text, EncryptNone, EncryptOwn, EncryptKMS)
}

// longestPrefix leaves room for names of objects, which have at most 1024 bytes.
const longestPrefix = 500

// Check returns the errors in the options, each with the key of [store.s3] that it concerns.
func (o Options) Check() error {
	var check units.Check
	u, err := url.Parse(o.Endpoint)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "":
		check.Wrong("endpoint", "this is no server; write one such as \"https://s3.eu-central-1.amazonaws.com\", without the bucket")
	case u.User != nil:
		check.Wrong("endpoint", "it holds a key, which others may read here; put that into access_key_file and secret_key_file")
	case u.Scheme == "http" && !units.Loopback(u.Hostname()):
		check.Wrong("endpoint", "messages would go to and from %s in the clear; write https://", u.Hostname())
	}
	if err := s3utils.CheckValidBucketNameStrict(o.Bucket); err != nil {
		check.Wrong("bucket", "%q is no name of a bucket: %v", o.Bucket, err)
	}
	if o.Prefix != "" {
		if err := s3utils.CheckValidObjectNamePrefix(o.Prefix); err != nil || len(o.Prefix) > longestPrefix ||
			!strings.HasSuffix(o.Prefix, "/") || strings.HasPrefix(o.Prefix, "/") {
			check.Wrong("prefix", "%q cannot begin names of objects; write one such as \"milterscan/\"", o.Prefix)
		}
	}
	check.If(o.Key != "" && o.Encryption != EncryptKMS, "encryption_key", "it is of no use without encryption = \"aws:kms\"")
	return check.Err()
}

// place returns where the bucket is.
func (o Options) place() string {
	u, err := url.Parse(o.Endpoint)
	if err != nil {
		return o.Bucket
	}
	return u.Host + "/" + o.Bucket
}

// client returns what makes requests. It never repeats one: what it put may be there although the answer did not come.
func (o Options) client(transport *http.Transport) (*minio.Core, error) {
	u, err := url.Parse(o.Endpoint)
	if err != nil {
		return nil, err
	}
	lookup := minio.BucketLookupDNS
	if o.PathStyle {
		lookup = minio.BucketLookupPath
	}
	c, err := minio.NewCore(u.Host, &minio.Options{Creds: credentials.New(keys{o.AccessKey, o.SecretKey}), Secure: u.Scheme == "https",
		Transport: transport, Region: o.Region, BucketLookup: lookup, MaxRetries: 1})
	if err != nil {
		return nil, err
	}
	c.SetAppInfo("milterscan", "")
	return c, nil
}

// keepAlive has a connection end whose other side has gone without a word.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3}

// Numbers of connections, and times.
const (
	idleEach = 16
	idleTime = time.Minute
	dialTime = 5 * time.Second
)

// transport returns how the server is reached.
func (o Options) transport() (t *http.Transport, err error) {
	dialer := net.Dialer{Timeout: dialTime, KeepAliveConfig: keepAlive}
	t = &http.Transport{Proxy: http.ProxyFromEnvironment, DialContext: dialer.DialContext, MaxIdleConnsPerHost: idleEach,
		IdleConnTimeout: idleTime, TLSHandshakeTimeout: dialTime, DisableCompression: true,
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}}
	t.TLSClientConfig.RootCAs, err = units.Authorities(o.CAFile)
	return t, err
}

// keys asks for the key for each request, so that it may be changed.
type keys struct{ access, secret func() (string, error) }

// RetrieveWithCredContext returns the key of now.
func (k keys) RetrieveWithCredContext(*credentials.CredContext) (v credentials.Value, err error) {
	v.SignerType = credentials.SignatureV4
	if v.AccessKeyID, err = k.access(); err != nil {
		return v, fmt.Errorf("access_key_file: %w", err)
	}
	if v.SecretAccessKey, err = k.secret(); err != nil {
		return v, fmt.Errorf("secret_key_file: %w", err)
	}
	return v, nil
}

// Retrieve returns the key of now.
func (k keys) Retrieve() (credentials.Value, error) { return k.RetrieveWithCredContext(nil) }

// IsExpired has the key be asked for again.
func (keys) IsExpired() bool { return true }
