package markup

import "testing"

// TestTextsThatClaimNothing are honest, though each holds a word that ends in a
// public suffix.
func TestTextsThatClaimNothing(t *testing.T) {
	for _, text := range []string{
		"B.Sc.", "M.Sc.", "B.Sc", "Anna Example, M.Sc.", "Android.mk", "check.py", "notes.md", "README.md", "readme.md", "CHANGELOG.md", "holiday.zip", "photos-2026.zip", "lib.so",
		"libfoo.so", "logo.ai", "main.cc", "main.rs", "install.sh", "setup.py", "Main.java", "script.pl", "plot.ps", "clip.mov", "id_rsa.pub", "flyer.pub", "main.tf", "Makefile.am",
		"configure.ac", "check.py:42", "README.md#install", "v1.2.zip", "report.final.zip", "Foo.pm", "notes.one", "NVIDIA-Linux.run",
		"at 9.am", "5.30.pm", "10.am", "approx.ca.", "approx.ca", "Order now.It is", "Order now.It", "Dr.No", "Mr.It", "No.In", "profit.Net income", "here.To be", "Done.So",
		"See you there.Is it", "etc.in", "vs.us", "i.e.in", "z.B.de",
		"数字3．5を", "今日は．みんな", "终于。中国",
	} {
		if claims := Claims(text); len(claims) > 0 {
			t.Errorf("%q claims %s", text, claims[0].Host)
		}
	}
}

// TestTextsThatClaim are those that a fraud would use.
func TestTextsThatClaim(t *testing.T) {
	for text, want := range map[string]string{
		"paypal.com": "paypal.com", "PayPal.com": "paypal.com", "PAYPAL.COM": "paypal.com", "PayPal.Com": "paypal.com", "Visit PayPal.com now": "paypal.com",
		"www.bank.zip": "www.bank.zip", "WWW.Bank.Zip": "www.bank.zip", "bank.zip/login": "bank.zip", "https://bank.zip": "bank.zip", "http://check.py/": "check.py",
		"www.dr.no": "www.dr.no", "https://Dr.No": "dr.no", "www.x.co": "www.x.co", "x.com": "x.com", "t.co/abc": "t.co",
		"bank.co": "bank.co", "Bank.co": "bank.co", "bank.co.uk": "bank.co.uk", "BANK.CO.UK": "bank.co.uk", "bank.de": "bank.de", "BANK.DE": "bank.de", "bank.it": "bank.it", "bank.info": "bank.info",
		"login.bank.in": "login.bank.in", "163.com": "163.com", "12306.cn": "12306.cn", "360.cn": "360.cn", "bücher.de": "xn--bcher-kva.de", "Bücher.de": "xn--bcher-kva.de",
		"пример.рф": "xn--e1afmkfd.xn--p1ai", "银行.中国": "xn--jn2a72x.xn--fiqs8s", "www.银行.中国": "www.xn--jn2a72x.xn--fiqs8s",
		"www．bank．com": "www.bank.com", "bank。com": "bank.com", "bank｡com": "bank.com", "ｗｗｗ．ｂａｎｋ．ｃｏｍ": "www.bank.com", "http://www。bank。com/": "www.bank.com",
		"see bank.com.": "bank.com", "check.py at bank.com": "bank.com", "B.Sc. www.bank.com": "www.bank.com",
	} {
		if claims := Claims(text); len(claims) == 0 || claims[0].Host != want {
			t.Errorf("%q claims %v, want %s", text, claims, want)
		}
	}
}

func TestObeyed(t *testing.T) {
	for html, want := range map[string]string{
		`<a href="http://evil.test/" href="http://www.bank.com/">x</a>`:        "http://evil.test/",
		`<a HREF=http://evil.test/ title=t href='http://www.bank.com/'>x</a>`:  "http://evil.test/",
		`<a href href="http://www.bank.com/">x</a>`:                            "",
		`<a xhref=x href="http://evil.test/" href=y href=z>x</a>`:              "http://evil.test/",
		`<a a1 a2 a3 a4 a5 a6 a7 a8 a9 b1 b2 b3 b4 b5 b6 b7 b8 href=a href=b>`: "a",
	} {
		var got string
		if p := page(t, html); len(p.Links) > 0 {
			got = p.Links[0].Href
		}
		if got != want {
			t.Errorf("%s leads to %q, want %q", html, got, want)
		}
	}
}
