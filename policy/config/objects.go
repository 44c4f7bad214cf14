package config

import (
	"cmp"
	"time"

	"github.com/milterscan/milterscan/policy/keep/bucket"
	"github.com/milterscan/milterscan/scan/units"
)

// S3 is a bucket of objects, on a server that speaks the protocol of S3.
type S3 struct {
	// The server, such as "https://s3.eu-central-1.amazonaws.com"; "" for none. Its certificate
	// is checked, and http:// is for this host alone.
	Endpoint string `toml:"endpoint"`
	// The bucket, which must be there.
	Bucket string `toml:"bucket"`
	// The region of the server; "" for "us-east-1", which most others than Amazon's take.
	Region string `toml:"region"`
	// With what the names of all objects begin: "milterscan/", for a bucket that has others.
	Prefix string `toml:"prefix"`
	// The bucket is part of the path, https://SERVER/BUCKET/…, and not of the server's name.
	PathStyle bool `toml:"path_style"`
	// The authorities of its certificate, in PEM; "" for those of the system.
	CAFile string `toml:"ca_file"`
	// The file with the name of the key, or "env:NAME" for a variable of the environment. It
	// is read for each request, so that it may be changed.
	AccessKeyFile SecretFile `toml:"access_key_file"`
	// The file with the secret of the key, likewise.
	SecretKeyFile SecretFile `toml:"secret_key_file"`
	// How the server is asked to encrypt objects: "AES256" by keys of its own, "aws:kms" by
	// those of a KMS; "" asks for nothing.
	Encryption bucket.Encryption `toml:"encryption"`
	// The key of the KMS; "" for the one that the server takes.
	EncryptionKey string `toml:"encryption_key"`
}

// Check returns the errors of the section [store.s3].
func (s S3) Check() error {
	if s.Endpoint == "" {
		var check units.Check
		check.If(s.Bucket != "", "bucket", "it is of no use without an endpoint")
		return check.Err()
	}
	var check units.Check
	check.Add(s.Options(0).Check())
	check.If(s.AccessKeyFile == "", "access_key_file", "it is needed: the file with the name of the key")
	check.If(s.SecretKeyFile == "", "secret_key_file", "it is needed: the file with the secret of the key")
	return check.Err()
}

// Options returns how the bucket is reached, and how long mail waits for each piece of a message.
func (s S3) Options(patience time.Duration) bucket.Options {
	return bucket.Options{Endpoint: s.Endpoint, Bucket: s.Bucket, Region: cmp.Or(s.Region, "us-east-1"), Prefix: s.Prefix, PathStyle: s.PathStyle,
		CAFile: s.CAFile, AccessKey: s.AccessKeyFile.Read, SecretKey: s.SecretKeyFile.Read,
		Encryption: s.Encryption, Key: s.EncryptionKey, Patience: patience}
}

// Objects returns the bucket of kept messages; nil if the database has them.
func (s Store) Objects() *bucket.Bucket {
	if s.URL == "" || s.S3.Endpoint == "" {
		return nil
	}
	return bucket.New(s.S3.Options(s.Timeout.Go()))
}
