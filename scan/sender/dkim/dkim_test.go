package dkim

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"

	msgauth "github.com/emersion/go-msgauth/dkim"
	"go.uber.org/goleak"

	"github.com/milterscan/milterscan/scan/scantest"
	"github.com/milterscan/milterscan/scan/sender/dns/dnstest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const letter = "From: Joe <joe@example.org>\r\nSubject: hello\r\n\r\nhello\r\n"

// signed signs a mail as example.org, and publishes the key.
func signed(t testing.TB, z dnstest.Zone, mail string) string {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	z["sel._domainkey.example.org"] = []string{"TXT v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(public)}
	var out bytes.Buffer
	if err := msgauth.Sign(&out, strings.NewReader(mail), &msgauth.SignOptions{Domain: "example.org", Selector: "sel", Signer: private}); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestVerifiedOnce(t *testing.T) {
	z := dnstest.Zone{}
	m := scantest.Message(signed(t, z, letter))
	asked := &dnstest.Recorder{Resolver: z}
	v := New(asked, 10)
	for range 3 {
		list, err := v.Of(t.Context(), m)
		if err != nil || len(list) != 1 || !list[0].Valid() || list[0].Domain != "example.org" {
			t.Fatalf("%+v, %v", list, err)
		}
	}
	if n := len(asked.Asked()); n != 1 {
		t.Errorf("%d questions", n)
	}
	runtime.KeepAlive(m)
}

// broken cannot be read behind its header.
type broken struct{ io.ReaderAt }

var errBroken = errors.New("broken disk")

func (b broken) ReadAt(p []byte, off int64) (int, error) {
	if off > 0 {
		return 0, errBroken
	}
	return b.ReaderAt.ReadAt(p, off)
}

func (b broken) Size() int64 { return 1 << 20 }

// A message that cannot be read leaves nobody waiting inside the library, however
// many signatures it has.
func TestUnreadable(t *testing.T) {
	z := dnstest.Zone{}
	text := signed(t, z, signed(t, z, letter))
	m := scantest.Message(text)
	m.Raw = broken{strings.NewReader(text)}
	if _, err := New(z, 10).Of(t.Context(), m); !errors.Is(err, errBroken) {
		t.Error(err)
	}
	late, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := New(z, 10).Of(late, scantest.Message(text)); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// A header that ends for us and goes on for the library would be compared, line
// by line, with every name in the signature.
func TestWhereTheHeaderEnds(t *testing.T) {
	asked := &dnstest.Recorder{Resolver: dnstest.Zone{}}
	text := "DKIM-Signature: v=1; a=rsa-sha256; d=example.org; s=sel; bh=x; b=x; h=from:" + strings.Repeat("x:", 7000) + "x\r\n" +
		"From: a@example.org\r\n\r\r\n" + strings.Repeat("X: y\r\n", 1_000_000)
	list, err := New(asked, 10).Of(t.Context(), scantest.Message(text))
	if err != nil || len(list) != 1 || list[0].Valid() {
		t.Errorf("%+v, %v", list, err)
	}
}

// FuzzVerify has one field and one key made up by somebody: nothing breaks, and
// nothing is valid.
func FuzzVerify(f *testing.F) {
	z := dnstest.Zone{}
	whole := signed(f, z, letter)
	field := strings.TrimPrefix(strings.TrimSuffix(whole, letter), "DKIM-Signature:")
	key := strings.TrimPrefix(z["sel._domainkey.example.org"][0], "TXT ")
	f.Add(strings.TrimSuffix(strings.Replace(field, "bh=", "bh=x", 1), "\r\n"), key)
	f.Add("v=1; a=rsa-sha256; d=example.org; s=sel; h=from; bh=; b=; q=dns/txt; c=/; t=1; x=99999999999; i=@example.org", "v=DKIM1; p=MA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQ==")
	f.Fuzz(func(t *testing.T, field, key string) {
		field = strings.Map(func(r rune) rune {
			if r == '\r' || r == '\n' {
				return ' '
			}
			return r
		}, field)
		zone := dnstest.Zone{"*.org": {"TXT " + key}, "*.example": {"TXT " + key}}
		for _, copies := range []int{1, 2} {
			m := scantest.Message(strings.Repeat("DKIM-Signature: "+field+"\r\n", copies) + letter)
			list, err := New(zone, 10).Of(t.Context(), m)
			if err != nil || len(list) == 0 {
				t.Fatalf("%v, %v", list, err)
			}
			for _, s := range list {
				if s.Result == "" || len(s.Domain) > longestText || len(s.Reason) > longestText {
					t.Errorf("%+v", s)
				}
			}
		}
	})
}
