package content

import (
	"slices"
	"testing"

	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/entity"
)

// from is a message with From fields.
func from(fields ...string) *scan.Message {
	root := &entity.Entity{Type: "text/plain"}
	for _, f := range fields {
		root.Header.Fields = append(root.Header.Fields, entity.Field{Name: "From", Value: f})
	}
	p := part("text/plain", "", "hello")
	p.Entity = root
	return &scan.Message{Root: root, Parts: []scan.Part{p}}
}

func TestNamesThatAreAddresses(t *testing.T) {
	for field, want := range map[string]bool{
		`"service@bank.com" <eve@evil.test>`:                          true,
		`service@bank.com <eve@evil.test>`:                            true,
		`"'service@bank.com'" <eve@evil.test>`:                        true,
		`"\"service@bank.com\"" <eve@evil.test>`:                      true,
		`"Bank (service@bank.com)" <eve@evil.test>`:                   true,
		`Bank [service@bank.com] <eve@evil.test>`:                     true,
		`"Bank <service@bank.com>" <eve@evil.test>`:                   true,
		`<service@bank.com> <eve@evil.test>`:                          true,
		`eve@evil.test (service@bank.com)`:                            true,
		`=?utf-8?q?service=40bank=2Ecom?= <eve@evil.test>`:            true,
		`=?utf-8?b?c2VydmljZUBiYW5rLmNvbQ==?= <eve@evil.test>`:        true,
		`"=?utf-8?q?service=40bank.com?=" <eve@evil.test>`:            true,
		`=?utf-8?q?service?= =?utf-8?q?=40bank.com?= <eve@evil.test>`: true,
		"\"service@bank．com\" <eve@evil.test>":                        true,
		"\"service＠bank。com\" <eve@evil.test>":                        true,
		"\"serv\u200bice@bank.\u200bcom\" <eve@evil.test>":            true,
		`"SERVICE@BANK.COM" <eve@evil.test>`:                          true,
		`"service@bank.com" <eve@bank.com.evil.test>`:                 true,
		`"Ann" <ann@example.com>, "service@bank.com" <eve@evil.test>`: true,
		`"service@bücher.de" <eve@xn--bucher-kva.de>`:                 true,
		`"bob@example.com via List" <list@lists.example.net>`:         true,
		`"service @ bank.com" <eve@evil.test>`:                        true,
		`"service@ bank.com" <eve@evil.test>`:                         true,
		"\"service\u00a0@\u2003bank.com\" <eve@evil.test>":            true,
		`"service (at) bank.com" <eve@evil.test>`:                     true,
		`"service[AT]bank.com" <eve@evil.test>`:                       true,
		`=?utf-8?q?service_=40_bank.com?= <eve@evil.test>`:            true,
		`"service@bank.test" <eve@evil.com>`:                          true,
		`"service@bank.test" <eve@evil.test>`:                         true,
		`"service@mail.bank.secure" <eve@evil.invalid>`:               true,
		`"service@bank.xn--unlisted-abc" <eve@evil.com>`:              true,
		`"service@bank.com" <eve@evil>`:                               true,
		`"service@bank.com" <eve@[192.0.2.1]>`:                        true,
		"\"service\uff20bank.test\" <eve@evil.com>":                   true,
		`"service@mail.bank.test" <service@bank.test>`:                false,
		`"service@bank.test" <service@mail.bank.test>`:                false,
		`"service @ bank.test" <eve@evil.com>`:                        false,
		`"Ann (at) the.attic" <ann@example.com>`:                      false,
		`"root@web1" <alerts@example.com>`:                            false,
		`"root@web1.lan" <alerts@example.com>`:                        false,
		`"root@web1.localdomain" <alerts@example.com>`:                false,
		`"a@b.c" <ann@example.com>`:                                   false,
		`"me@10.30" <ann@example.com>`:                                false,
		`"ann@home..attic" <ann@example.com>`:                         false,
		`"ann@-x.test" <ann@example.com>`:                             false,
		`"@ann.test" <ann@example.com>`:                               false,
		`"service @ bank.com" <service@bank.com>`:                     false,
		`"Ann at bank.com" <eve@evil.test>`:                           false,
		`"meet me @ 10.30" <eve@evil.test>`:                           false,
		`"service@bank.com" <service@bank.com>`:                       false,
		`"service@bank.com" <noreply@mail.bank.com>`:                  false,
		`"SERVICE@Bank.com" <noreply@bank.com>`:                       false,
		`"service@bücher.de" <service@xn--bcher-kva.de>`:              false,
		`"Bank, Service" <service@bank.com>`:                          false,
		`service@bank.com, eve@evil.test`:                             false,
		`service@bank.com`:                                            false,
		`"Anna @ Example" <eve@evil.test>`:                            false,
		`"@bank" <eve@evil.test>`:                                     false,
		`"bank.com" <eve@evil.test>`:                                  false,
		`"service@bank.com"`:                                          false,
		`"service@bank.com" <>`:                                       false,
		`Team: "Ann" <ann@example.com>, "Bob" <bob@example.com>;`:     false,
		`"a@b" <eve@evil.test>`:                                       false,
		`=?utf-8?q?J=C3=B6rg?= <joerg@example.com>`:                   false,
		``: false, `"`: false, `(`: false, `<`: false, `\`: false, `,,<a@b.de`: false,
	} {
		rules, details := found(t, testConfig(), from(field))
		if got := slices.Contains(rules, "display-address"); got != want || len(rules) > 1 {
			t.Errorf("%s: found %q, want %v\n%s", field, rules, want, details)
		}
	}
}

// TestEveryFromField is looked at, since clients show one or the other.
func TestEveryFromField(t *testing.T) {
	if rules, _ := found(t, testConfig(), from("Ann <ann@example.com>", `"service@bank.com" <eve@evil.test>`)); !slices.Equal(rules, []string{"display-address"}) {
		t.Errorf("found %q", rules)
	}
}
