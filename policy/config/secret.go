package config

import "github.com/milterscan/milterscan/policy/secret"

// SecretFile says where a secret is.
type SecretFile = secret.File
