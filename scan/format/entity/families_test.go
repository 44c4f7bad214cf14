package entity

import (
	"strings"
	"testing"
)

// family is a kind of hostile mail. Its mails are templates: ⟨CTE⟩ stands for
// the name of the encoding, ⟨BODY⟩ for the encoded payload, \n for CRLF.
type family struct {
	name  string
	mails []string
}

// mail is the base mail with the header of the second part replaced.
func partMail(header, body string) string {
	return "From: a@example.com\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=foo\n\n--foo\nContent-Type: text/plain\n\nhello\n--foo\n" +
		header + "\n" + body + "--foo--\n"
}

const octets = "Content-Type: application/octet-stream\nContent-Disposition: attachment; filename=x.bin\n"

// topMail is the base mail with another Content-Type; the delimiters use b.
func topMail(contentType, b string) string {
	return "From: a@example.com\nMIME-Version: 1.0\n" + contentType + "\n\n--" + b + "\nContent-Type: text/plain\n\nhello\n--" + b + "\n" +
		octets + "Content-Transfer-Encoding: ⟨CTE⟩\n\n⟨BODY⟩--" + b + "--\n"
}

// top are base mails with each of the Content-Types and each of the boundaries.
func top(boundaries []string, types ...string) (mails []string) {
	for _, ct := range types {
		for _, b := range boundaries {
			mails = append(mails, topMail(ct, b))
		}
	}
	return mails
}

// part are base mails with each of the headers in the second part.
func part(headers ...string) (mails []string) {
	for _, h := range headers {
		mails = append(mails, partMail(h, "⟨BODY⟩"))
	}
	return mails
}

const cte = "Content-Transfer-Encoding: "

var families = []family{
	{"H1 encoding twice", part(
		octets+cte+"⟨CTE⟩\n"+cte+"quoted-printable\n", octets+cte+"quoted-printable\n"+cte+"⟨CTE⟩\n",
		octets+cte+"⟨CTE⟩\n"+cte+"7bit\n", octets+cte+"7bit\n"+cte+"⟨CTE⟩\n",
		octets+cte+"base64\n"+cte+"⟨CTE⟩\n", octets+cte+"⟨CTE⟩\n"+cte+"base64\n",
		octets+cte+"7bit\n"+cte+"⟨CTE⟩\n"+cte+"⟨CTE⟩\n", octets+cte+"⟨CTE⟩\n"+cte+"⟨CTE⟩\n"+cte+"8bit\n",
		octets+cte+"nonsense\n"+cte+"⟨CTE⟩\n", octets+cte+"⟨CTE⟩\n"+cte+"nonsense\n", octets+cte+"\n"+cte+"⟨CTE⟩\n",
	)},
	{"H2 encoding list", part(
		octets+cte+"⟨CTE⟩, quoted-printable\n", octets+cte+"quoted-printable, ⟨CTE⟩\n", octets+cte+"7bit, ⟨CTE⟩\n",
		octets+cte+"\"⟨CTE⟩\", 7bit\n", octets+cte+"\"⟨CTE⟩\"\n", octets+cte+"⟨CTE⟩⟨CTE⟩\n", octets+cte+"⟨CTE⟩; x\n",
		octets+cte+"⟨CTE⟩ 7bit\n", octets+cte+"x-⟨CTE⟩\n", octets+cte+"⟨CTE⟩;\n",
	)},
	{"H3 type twice in the part", []string{
		partMail(octets+"Content-Type: multipart/mixed; boundary=bar\n", "--bar\n"+octets+cte+"⟨CTE⟩\n\n⟨BODY⟩--bar--\n"),
		partMail("Content-Type: multipart/mixed; boundary=bar\n"+octets, "--bar\n"+octets+cte+"⟨CTE⟩\n\n⟨BODY⟩--bar--\n"),
		partMail("Content-Type: multipart/mixed; boundary=bar\n"+octets+cte+"⟨CTE⟩\n", "⟨BODY⟩"),
		partMail("Content-Type: text/plain, multipart/mixed; boundary=bar\n", "--bar\n"+octets+cte+"⟨CTE⟩\n\n⟨BODY⟩--bar--\n"),
		partMail("Content-Type: multipart/mixed, text/plain; boundary=bar\n", "--bar\n"+octets+cte+"⟨CTE⟩\n\n⟨BODY⟩--bar--\n"),
		partMail("Content-Type: text/plain\nContent-Type: message/rfc822\n", octets+cte+"⟨CTE⟩\n\n⟨BODY⟩"),
		partMail("Content-Type: message/rfc822\nContent-Type: text/plain\n", octets+cte+"⟨CTE⟩\n\n⟨BODY⟩"),
	}},
	{"H3 type twice at the top", top([]string{"foo"},
		"Content-Type: text/plain\nContent-Type: multipart/mixed; boundary=foo", "Content-Type: multipart/mixed; boundary=foo\nContent-Type: text/plain",
		"Content-Type: text/plain, multipart/mixed; boundary=foo", "Content-Type: multipart/mixed, text/plain; boundary=foo",
		"Content-Type: multipart/mixedmultipart/mixed; boundary=foo", "Content-Type: MultiPart/MiXed; BounDary=foo", "Content-Type: multipart/mixed multipart/mixed; boundary=foo",
		"Content-Type: multipart; boundary=foo", "Content-Type: multipart /mixed; boundary=foo", "Content-Type: mult(x)ipart/mixed; boundary=foo",
		"Content-Type: multipart\\mixed; boundary=foo", "Content-Type: \"multipart/mixed\"; boundary=foo", "Content-Type: text/plain; boundary=foo", "Content-Type: ; boundary=foo",
		"Content-Type: text/html\nContent-Type: text/plain\nContent-Type: multipart/mixed; boundary=foo", "Content-Type:multipart/mixed;boundary=foo",
	)},
	{"H4 boundary twice", top([]string{"foo", "faa"},
		"Content-Type: multipart/mixed; boundary=foo\nContent-Type: multipart/mixed; boundary=faa", "Content-Type: multipart/mixed; boundary=faa\nContent-Type: multipart/mixed; boundary=foo",
		"Content-Type: multipart/mixed; boundary=foo, boundary=faa", "Content-Type: multipart/mixed; boundary=faa, boundary=foo",
		"Content-Type: multipart/mixed; boundary=foo; boundary=faa", "Content-Type: multipart/mixed; boundary=\"faa\"; boundary=\"foo\"",
		"Content-Type: multipart/mixed; boundary=foo; x=y; BOUNDARY=faa", "Content-Type: multipart/mixed; boundary=foo boundary=faa", "Content-Type: multipart/mixed; boundary=foo\n boundary=faa",
		"Content-Type: multipart/mixed; boundary=\"foo\" boundary=\"faa\"",
		"Content-Type: multipart/mixed; boundary=foo\nContent-Type: multipart/mixed\nContent-Type: multipart/mixed; boundary=faa",
	)},
	{"H5 boundary in sections", append(append(top([]string{"foo"},
		"Content-Type: multipart/mixed; boundary*0=fo; boundary*1=o", "Content-Type: multipart/mixed; boundary*1=o; boundary*0=fo", "Content-Type: multipart/mixed; boundary*0*=us-ascii''fo; boundary*1*=o",
		"Content-Type: multipart/mixed; boundary*=us-ascii''foo", "Content-Type: multipart/mixed; boundary*=us-ascii''f%6Fo", "Content-Type: multipart/mixed; boundary*0=\"fo \"; boundary*1=o",
		"Content-Type: multipart/mixed; boundary*0=fo; boundary*0=x; boundary*1=o", "Content-Type: multipart/mixed; boundary*0=x; boundary*0=fo; boundary*1=o",
		"Content-Type: multipart/mixed; boundary*0=\"=?us-ascii?Q?fo?=\"; boundary*1=o", "Content-Type: multipart/mixed; boundary=bar; boundary*0=fo; boundary*1=o", "Content-Type: multipart/mixed; boundary*0=fo; boundary*1=o; boundary=bar",
		"Content-Type: multipart/mixed; boundary*=foo",
	), top([]string{"fo o"}, "Content-Type: multipart/mixed; boundary*0=\"fo \"; boundary*1=o")...), top([]string{"bar"}, "Content-Type: multipart/mixed; boundary=bar; boundary*0=fo; boundary*1=o")...)},
	{"H6 boundary as encoded word", append(top([]string{"foo", "=?us-ascii?Q?foo?="}, "Content-Type: multipart/mixed; boundary=\"=?us-ascii?Q?foo?=\"", "Content-Type: multipart/mixed; boundary==?us-ascii?Q?foo?="),
		top([]string{"abcdef", "abc=?us-ascii?Q?def?="}, "Content-Type: multipart/mixed; boundary=\"abc=?us-ascii?Q?def?=\"", "Content-Type: multipart/mixed; boundary=abc=?us-ascii?Q?def?=")...)},
	{"H7 boundary with comment", append(top([]string{"foo(foo)foo", "foofoo", "foo"}, "Content-Type: multipart/mixed; boundary=foo(foo)foo", "Content-Type: multipart/mixed; boundary=\"foo(foo)foo\""),
		append(top([]string{"A", "B"}, "Content-Type: multipart/mixed; boundary((c))=\"A\"; boundary=B", "Content-Type: multipart/mixed; boundary(c)=A; boundary=B", "Content-Type: multipart/mixed; (boundary=A) boundary=B", "Content-Type: multipart/mixed; boundary=(A)B"),
			top([]string{"foo"}, "Content-Type: multipart/mixed (x); boundary=foo", "Content-Type: multipart/mixed; (x) boundary (y) = (z) foo (w)", "Content-Type: multipart/mixed; boundary=foo (c)", "Content-Type: multipart/mixed; (open boundary=foo", "Content-Type: (c) multipart/mixed; boundary=foo")...)...)},
	{"H8 boundary quoting", append(top([]string{"foo"},
		`Content-Type: multipart/mixed; boundary=""foo`, `Content-Type: multipart/mixed; boundary="bar"foo`, `Content-Type: multipart/mixed; boundary="foo`, `Content-Type: multipart/mixed; boundary=foo"`, `Content-Type: multipart/mixed; boundary='foo'`,
		`Content-Type: multipart/mixed; boundary= foo`, `Content-Type: multipart/mixed; boundary=" foo"`, `Content-Type: multipart/mixed; boundary="foo "`, `Content-Type: multipart/mixed; boundary=foo `, `Content-Type: multipart/mixed; boundary=foo bar`,
		`Content-Type: multipart/mixed; boundary=foo;foo`, "Content-Type: multipart/mixed; boundary=\x00foo", "Content-Type: multipart/mixed; boundary\x00=foo", "Content-Type: multipart/mixed; bound\x00ary=foo", "Content-Type: multipart/mixed; boundary=foo\x00bar",
		`Content-Type: multipart/mixed boundary=foo`, "Content-Type: multipart/mixed;\n boundary\n =foo", "Content-Type: multipart/mixed; boundary=\n foo", "Content-Type: multipart/mixed; boundary=fo\n o", "Content-Type: multipart/mixed; boundary=\"fo\n o\"",
		`Content-Type: multipart/mixed; boundary = foo`, `Content-Type: multipart/mixed; boundary=="foo"`, `Content-Type: multipart/mixed; boundary="f\oo"`, `Content-Type: multipart/mixed; boundary=f\oo`, `Content-Type: multipart/mixed; boundary:foo; boundary=foo`,
		`Content-Type: multipart/mixed;; boundary=foo`, `Content-Type: multipart/mixed; boundary=foo,`, `Content-Type: multipart/mixed; boundary=foo;`, `Content-Type: multipart/mixed, boundary=foo`, "Content-Type: multipart/mixed;\nboundary=foo", "Content-Type: multipart/mixed;\n\tboundary=foo",
		`Content-Type: multipart/mixed; boundary="foo"bar`, `Content-Type: multipart/mixed; boundary=FOO`, `Content-Type: multipart/mixed; boundary`, `Content-Type: multipart/mixed; boundary=`, `Content-Type: multipart/mixed; boundary=""`, `Content-Type: multipart/mixed; boundary="`, `Content-Type: multipart/mixed; boundary=;`,
		`Content-Type: multipart/mixed`, `Content-Type: multipart/mixed;`, `Content-Type: multipart/mixed; boundary="x;y"foo`,
	),
		append(top([]string{`"foo"`, `foo bar`, `foo;foo`, `foo"`, `'foo'`, `foo,`, `bar`, `barfoo`, ` foo`},
			`Content-Type: multipart/mixed; boundary="foo"`, `Content-Type: multipart/mixed; boundary=foo bar`, `Content-Type: multipart/mixed; boundary=foo;foo`, `Content-Type: multipart/mixed; boundary=foo"`,
			`Content-Type: multipart/mixed; boundary='foo'`, `Content-Type: multipart/mixed; boundary=foo,`, `Content-Type: multipart/mixed; boundary="bar"foo`, `Content-Type: multipart/mixed; boundary=" foo"`),
			top([]string{strings.Repeat("b", 71), strings.Repeat("b", 90), strings.Repeat("b", 70)}, `Content-Type: multipart/mixed; boundary="`+strings.Repeat("b", 71)+`"`, `Content-Type: multipart/mixed; boundary=`+strings.Repeat("b", 90))...)...)},
	{"H9 unreadable parameter", top([]string{"foo"},
		"Content-Type: multipart/mixed; x:y=1; boundary=foo", "Content-Type: multipart/mixed; n\xe4me=1; boundary=foo", "Content-Type: multipart/mixed; x; boundary=foo", "Content-Type: multipart/mixed; =y; boundary=foo", "Content-Type: multipart/mixed; ; ; boundary=foo",
		"Content-Type: multipart/mixed; x=\"open; boundary=foo", "Content-Type: multipart/mixed; x=(open; boundary=foo", "Content-Type: multipart/mixed; x=1; x=2; boundary=foo", "Content-Type: multipart/mixed; x=a\"b; boundary=foo", "Content-Type: multipart/mixed; type=text/html; boundary=foo",
		"Content-Type: multipart/mixed; x=\"a\\\"; boundary=foo; y=\"b", "Content-Type: multipart/mixed; charset; boundary=foo",
	)},
	{"H10 name damage", append(part(
		octets+" "+cte+"⟨CTE⟩\n", octets+"\x00"+cte+"⟨CTE⟩\n", octets+"Content-Transfer-Encoding : ⟨CTE⟩\n", octets+"Content-Transfer-Encoding\x00: ⟨CTE⟩\n", octets+"Content-Transfer-Encoding\t: ⟨CTE⟩\n",
		octets+cte+"\x00⟨CTE⟩\n", octets+cte+"⟨CTE⟩\x00\n", octets+"Content-Transfer\x00-Encoding: ⟨CTE⟩\n", octets+"Content-Transfer-\xe9Encoding: ⟨CTE⟩\n",
		" "+cte+"⟨CTE⟩\n"+octets, "\t"+cte+"⟨CTE⟩\n"+octets, "\x00"+cte+"⟨CTE⟩\n"+octets, "Content-Transfer-Encoding : ⟨CTE⟩\n"+octets, octets+"content-transfer-ENCODING:⟨CTE⟩\n",
		octets+cte+"⟨CTE⟩ \x00 \n",
	), top([]string{"foo"}, " Content-Type: multipart/mixed; boundary=foo", "Content-Type : multipart/mixed; boundary=foo", "Content-Type\x00: multipart/mixed; boundary=foo", "\x00Content-Type: multipart/mixed; boundary=foo", "Content-\x00Type: multipart/mixed; boundary=foo", "Content-Type: multipart/\x00mixed; boundary=foo", "Content-Type: \x00multipart/mixed; boundary=foo")...)},
	{"H11 line ends in the header", append(part(
		octets+"X: y\r"+cte+"⟨CTE⟩\n", octets+"X: y⟪LF⟫"+cte+"⟨CTE⟩\n", octets+"X: y⟪LF⟫\r"+cte+"⟨CTE⟩\n", octets+"X: y\r\r⟪LF⟫"+cte+"⟨CTE⟩\n", octets+"X: y\r\n\r"+cte+"⟨CTE⟩\n",
		octets+"X: y\r "+cte+"⟨CTE⟩\n", octets+"X: y\n "+cte+"⟨CTE⟩\n", octets+"#\n"+cte+"⟨CTE⟩\n", octets+"junk\n"+cte+"⟨CTE⟩\n", octets+"junk junk junk\n"+cte+"⟨CTE⟩\n", octets+" \n"+cte+"⟨CTE⟩\n",
		octets+cte+"\n ⟨CTE⟩\n", octets+cte+"\r ⟨CTE⟩\n", octets+cte+"⟨CTE⟩\r\r⟪LF⟫", "Content-Type: application/octet-stream\r"+cte+"⟨CTE⟩\n", "X: y\r"+octets+cte+"⟨CTE⟩\n",
		octets+cte+"⟨CTE⟩\r\rX: y\n", octets+"X: y⟪LF⟫\n"+cte+"⟨CTE⟩\n", octets+"\t\n"+cte+"⟨CTE⟩\n",
	), top([]string{"foo"}, "X: y\rContent-Type: multipart/mixed; boundary=foo", "Content-Type: multipart/mixed;\r boundary=foo", "Content-Type: multipart/mixed;⟪LF⟫ boundary=foo", "#\nContent-Type: multipart/mixed; boundary=foo", "Content-Type: multipart/mixed;\rboundary=foo", "Content-Type: multipart/mixed; boundary=foo\r", "Content-Type: multipart/mixed; boundary=foo\r\rX: y")...)},
	{"H12 separator", []string{
		partMail(octets+cte+"⟨CTE⟩\r\r", "⟨BODY⟩"), partMail(octets+cte+"⟨CTE⟩⟪LF⟫⟪LF⟫", "⟨BODY⟩"), partMail(octets+cte+"⟨CTE⟩\n⟪LF⟫", "⟨BODY⟩"), partMail(octets+cte+"⟨CTE⟩\n\r", "⟨BODY⟩"),
		"From: a@example.com\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=foo\n\n--foo\n\nhi\n--foo\n" + octets + cte + "⟨CTE⟩\n⟨BODY⟩--foo--\n",
		"From: a@example.com\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=foo\n\n--foo\n\nhi\n--foo\n" + octets + cte + "⟨CTE⟩\r\r⟨BODY⟩--foo--\n",
		"From: a@example.com\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=foo\n\n--foo\n\nhi\n--foo\n" + octets + cte + "⟨CTE⟩⟪LF⟫⟪LF⟫⟨BODY⟩--foo--\n",
		partMail(octets+cte+"⟨CTE⟩\n\n", "⟨BODY⟩"), partMail(octets+cte+"⟨CTE⟩\njunk\n", "⟨BODY⟩"), partMail(octets+cte+"⟨CTE⟩\njunk junk\n", "⟨BODY⟩"), partMail(octets, cte+"⟨CTE⟩\n\n⟨BODY⟩"), partMail(octets, cte+"⟨CTE⟩\n⟨BODY⟩"),
		partMail(octets, "some text\n"+cte+"⟨CTE⟩\nmore text\n\n⟨BODY⟩"), partMail(octets, "some text\n\n"+cte+"⟨CTE⟩\n\n⟨BODY⟩"), partMail("", octets+cte+"⟨CTE⟩\n\n⟨BODY⟩"), partMail("\n", octets+cte+"⟨CTE⟩\n\n⟨BODY⟩"),
		partMail("X: y\n", octets+cte+"⟨CTE⟩\n\n⟨BODY⟩"), partMail(octets, " "+cte+"⟨CTE⟩\n\n⟨BODY⟩"),
		"From: a@example.com\nMIME-Version: 1.0\n\nContent-Type: multipart/mixed; boundary=foo\n\n--foo\n\nhi\n--foo\n" + octets + cte + "⟨CTE⟩\n\n⟨BODY⟩--foo--\n",
		"From: a@example.com\nMIME-Version: 1.0\njunk\nContent-Type: multipart/mixed; boundary=foo\n\n--foo\n\nhi\n--foo\n" + octets + cte + "⟨CTE⟩\n\n⟨BODY⟩--foo--\n",
		"From: a@example.com\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=foo\n--foo\n\nhi\n--foo\n" + octets + cte + "⟨CTE⟩\n\n⟨BODY⟩--foo--\n",
	}},
	{"H13 encoding in other dress", part(
		octets+cte+"(⟨CTE⟩)\n", octets+cte+"⟨CTE⟩ (c)\n", octets+cte+"(c) ⟨CTE⟩\n", octets+cte+"⟨C-\n TE⟩\n", octets+cte+"(open\n"+cte+"⟨CTE⟩\n", octets+"X: (open\n"+cte+"⟨CTE⟩\n", octets+cte+"⟨C\x00TE⟩\n", octets+cte+"⟨Cte⟩\n", octets+cte+"⟨CTE⟩ (open\n", octets+cte+"=?us-ascii?Q?⟨CTE⟩?=\n", octets+cte+"⟨CTE⟩:\n", octets+cte+"⟨CTE⟩.\n",
		octets+cte+"⟨C TE⟩\n",
	)},
	{"H14 composite encoded", []string{
		"From: a@example.com\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=foo\n" + cte + "⟨CTE⟩\n\n--foo\n\nhi\n--foo\n" + octets + cte + "⟨CTE⟩\n\n⟨BODY⟩--foo--\n",
		"From: a@example.com\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=foo\n" + cte + "⟨CTE⟩\n\n⟨ENCODED --foo\n\nhi\n--foo\n" + octets + cte + "⟨CTE⟩\n\n⟨BODY⟩--foo--\n⟩",
		"From: a@example.com\nMIME-Version: 1.0\nContent-Type: message/rfc822\n" + cte + "⟨CTE⟩\n\n⟨ENCODED Subject: x\n" + octets + cte + "⟨CTE⟩\n\n⟨BODY⟩⟩",
		partMail("Content-Type: message/rfc822\n"+cte+"⟨CTE⟩\n", "⟨ENCODED Subject: x\n"+octets+cte+"⟨CTE⟩\n\n⟨BODY⟩⟩"),
		partMail("Content-Type: message/rfc822\n"+cte+"⟨CTE⟩\n", "Subject: x\n"+octets+cte+"⟨CTE⟩\n\n⟨BODY⟩"),
		partMail("Content-Type: message/global\n"+cte+"⟨CTE⟩\n", "⟨ENCODED Subject: x\n"+octets+cte+"⟨CTE⟩\n\n⟨BODY⟩⟩"),
		partMail("Content-Type: multipart/mixed; boundary=bar\n"+cte+"⟨CTE⟩\n", "⟨ENCODED --bar\n"+octets+cte+"⟨CTE⟩\n\n⟨BODY⟩--bar--\n⟩"),
		partMail("Content-Type: multipart/mixed; boundary=bar\n"+cte+"⟨CTE⟩\n"+cte+"7bit\n", "⟨ENCODED --bar\n"+octets+cte+"⟨CTE⟩\n\n⟨BODY⟩--bar--\n⟩"),
		partMail("Content-Type: multipart/mixed; boundary=bar\n"+cte+"7bit\n"+cte+"⟨CTE⟩\n", "⟨ENCODED --bar\n"+octets+cte+"⟨CTE⟩\n\n⟨BODY⟩--bar--\n⟩"),
	}},
	{"B17 delimiter", []string{
		structure("\n --foo\n", "\n--foo--\n"), structure("\n\t--foo\n", "\n--foo--\n"), structure("\n--foo \n", "\n--foo--\n"), structure("\n--foo\t\n", "\n--foo--\n"), structure("\ntext --foo\n", "\n--foo--\n"), structure("\nx--foo\n", "\n--foo--\n"),
		structure("\n--foobar\n", "\n--foo--\n"), structure("\n--foo bar\n", "\n--foo--\n"), structure("\n----foo\n", "\n--foo--\n"), structure("\n-- foo\n", "\n--foo--\n"), structure("\n--foo", "\n--foo--\n"), structure("\n--foo-\n", "\n--foo--\n"), structure("\n--foo\x00\n", "\n--foo--\n"),
		structure("\r--foo\r", "\n--foo--\n"), structure("\r--foo\n", "\n--foo--\n"), structure("\n--foo\r", "\n--foo--\n"), structure("⟪LF⟫--foo⟪LF⟫", "\n--foo--\n"), structure("\r\r⟪LF⟫--foo\n", "\n--foo--\n"), structure("\n--foo\r\r⟪LF⟫", "\n--foo--\n"),
		structure("\n--foo\n", "\n--foo\n"), structure("\n--foo\n", "\n--foo-\n"), structure("\n--foo\n", ""), structure("\n--foo\n", "\n--foo"), structure("\n--foo--\n--foo\n", "\n--foo--\n"), structure("\n--foo--\n\n--foo\n", "\n--foo--\n"), structure("\n--foo--\n--foo--\n--foo\n", "\n--foo--\n"),
		structure("\n--foo-- \n--foo \n", "\n--foo--\n"), structure("\n--foo--junk\n", "\n--foo--\n"), structure("\n--FOO\n", "\n--foo--\n"), structure("\n-foo\n", "\n--foo--\n"), structure("\nfoo\n", "\n--foo--\n"), structure("\n--foo"+strings.Repeat(" ", 5000)+"\n", "\n--foo--\n"), structure("\n"+strings.Repeat(" ", 5000)+"--foo\n", "\n--foo--\n"),
		structure("\n"+strings.Repeat("-", 5000)+"foo\n", "\n--foo--\n"), structure("\n\u00a0--foo\n", "\n--foo--\n"), structure("\n\ufeff--foo\n", "\n--foo--\n"),
	}},
	{"B18 outside the parts", []string{
		"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=foo\n\n" + octets + cte + "⟨CTE⟩\n\n⟨BODY⟩--foo\n\nhi\n--foo--\n",
		"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=foo\n\nThis is a multi-part message.\n" + octets + cte + "⟨CTE⟩\n\n⟨BODY⟩--foo\n\nhi\n--foo--\n",
		"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=foo\n\n--foo\n\nhi\n--foo--\n" + octets + cte + "⟨CTE⟩\n\n⟨BODY⟩",
		"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=foo\n\n--foo\n\nhi\n--foo--\n--bar\n" + octets + cte + "⟨CTE⟩\n\n⟨BODY⟩--bar--\n",
		"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=foo\n\n--foo\n\nhi\n--foo--\n--foo\n" + octets + cte + "⟨CTE⟩\n\n⟨BODY⟩--foo--\n",
		"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=foo\n\n--foo\nContent-Type: multipart/mixed; boundary=bar\n\n--bar\n\nhi\n--bar--\n--bar\n" + octets + cte + "⟨CTE⟩\n\n⟨BODY⟩--bar--\n--foo--\n",
		"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=foo\n\n--foo\nContent-Type: multipart/mixed; boundary=bar\n\n--bar\n\nhi\n--bar--\n" + octets + cte + "⟨CTE⟩\n\n⟨BODY⟩--foo--\n",
		"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=foo\n\n--foo\nContent-Type: multipart/mixed; boundary=bar\n\n" + octets + cte + "⟨CTE⟩\n\n⟨BODY⟩--bar\n\nhi\n--bar--\n--foo--\n",
		"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=foo\n\n--foo--\n--foo\n" + octets + cte + "⟨CTE⟩\n\n⟨BODY⟩--foo--\n",
	}},
	{"B19 boundaries inside", []string{
		"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=foo\n\n--foo\nContent-Type: multipart/mixed; boundary=foo\n\n--foo\n\nhi\n--foo\n" + octets + cte + "⟨CTE⟩\n\n⟨BODY⟩--foo--\n--foo--\n",
		"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=foo\n\n--foo\nContent-Type: multipart/mixed; boundary=foo\n\n--foo\n\nhi\n--foo--\n--foo\n" + octets + cte + "⟨CTE⟩\n\n⟨BODY⟩--foo--\n",
		"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=foo\n\n--foo\nContent-Type: multipart/mixed\n\n--foo\n" + octets + cte + "⟨CTE⟩\n\n⟨BODY⟩--foo--\n",
		"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=foo\n\n--foo\nContent-Type: multipart/mixed\n\n--bar\n" + octets + cte + "⟨CTE⟩\n\n⟨BODY⟩--bar--\n--foo--\n",
		"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=foo\n\n--foo\nContent-Type: multipart/mixed; boundary=bar\n\n--bar\n\nhi\n--bar\n" + octets + cte + "⟨CTE⟩\n\n⟨BODY⟩--foo--\n",
		"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=foo\n\n--foo\nContent-Type: multipart/mixed; boundary=bar\n\n--bar\n\nhi\n--foo\n\nx\n--bar\n" + octets + cte + "⟨CTE⟩\n\n⟨BODY⟩--bar--\n--foo--\n",
		"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=foo\n\n--foo\nContent-Type: multipart/mixed; boundary=foobar\n\n--foobar\n\nhi\n--foobar\n" + octets + cte + "⟨CTE⟩\n\n⟨BODY⟩--foobar--\n--foo--\n",
		"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=foobar\n\n--foobar\nContent-Type: multipart/mixed; boundary=foo\n\n--foo\n\nhi\n--foobar\n" + octets + cte + "⟨CTE⟩\n\n⟨BODY⟩--foo--\n--foobar--\n",
		"MIME-Version: 1.0\nContent-Type: text/plain; boundary=foo\n\n--foo\n" + octets + cte + "⟨CTE⟩\n\n⟨BODY⟩--foo--\n",
		"MIME-Version: 1.0\nContent-Type: application/octet-stream; boundary=foo\n\n--foo\n" + octets + cte + "⟨CTE⟩\n\n⟨BODY⟩--foo--\n",
		topMail("Content-Type: multipart/mixed; boundary=bar", "foo"), topMail("Content-Type: multipart/mixed", "foo"),
		"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=foo\n\n--foo\n\nhi\n--bar\n" + octets + cte + "⟨CTE⟩\n\n⟨BODY⟩--bar--\n--foo--\n",
		"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=foo--\n\n--foo--\n" + octets + cte + "⟨CTE⟩\n\n⟨BODY⟩--foo----\n",
		"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"--foo\"\n\n----foo\n" + octets + cte + "⟨CTE⟩\n\n⟨BODY⟩----foo--\n",
		"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"--foo\"\n\n--foo\n" + octets + cte + "⟨CTE⟩\n\n⟨BODY⟩--foo--\n",
		"MIME-Version: 1.0\n\n--foo\n" + octets + cte + "⟨CTE⟩\n\n⟨BODY⟩--foo--\n",
		"MIME-Version: 1.0\nContent-Typo: multipart/mixed; boundary=foo\n\n--foo\n" + octets + cte + "⟨CTE⟩\n\n⟨BODY⟩--foo--\n",
	}},
	{"A28 attached and quoted mails", []string{
		partMail("Content-Type: message/rfc822\n", "Subject: x\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=bar\n\n--bar\n"+octets+cte+"⟨CTE⟩\n\n⟨BODY⟩--bar--\n"),
		partMail("Content-Type: message/rfc822\n", "From x@example.com Mon\nSubject: x\n"+octets+cte+"⟨CTE⟩\n\n⟨BODY⟩"),
		partMail("Content-Type: message/rfc822\n", "\nSubject: x\n"+octets+cte+"⟨CTE⟩\n\n⟨BODY⟩"),
		"Subject: failure notice\n\nI could not deliver this.\n\n--- Below this line is a copy of the message.\n\nReturn-Path: <a@example.com>\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=bar\n\n--bar\n\nhi\n--bar\n" + octets + cte + "⟨CTE⟩\n\n⟨BODY⟩--bar--\n",
		"Subject: failure notice\n\nI could not deliver this.\n\nReturn-Path: <a@example.com>\nMIME-Version: 1.0\nContent-Type: multipart/mixed;\n\tboundary=\"bar\"\n\n--bar\n\nhi\n--bar\n" + octets + cte + "⟨CTE⟩\n\n⟨BODY⟩--bar--\n",
		"Subject: failure notice\n\nsorry\n\nReturn-Path: <a@example.com>\nMIME-Version: 1.0\n" + octets + cte + "⟨CTE⟩\n\n⟨BODY⟩",
		"MIME-Version: 1.0\nContent-Type: multipart/digest; boundary=foo\n\n--foo\n\nSubject: x\n" + octets + cte + "⟨CTE⟩\n\n⟨BODY⟩--foo--\n",
		"MIME-Version: 1.0\nContent-Type: multipart/report; boundary=foo\n\n--foo\nContent-Type: text/rfc822-headers\n\n" + octets + cte + "⟨CTE⟩\n\n⟨BODY⟩--foo--\n",
	}},
}

// structure is the base mail with its second delimiter, line ends included, and
// all that follows the payload replaced.
func structure(second, end string) string {
	return "From: a@example.com\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=foo\n\n--foo\nContent-Type: text/plain\n\nhello" + second + octets + cte + "⟨CTE⟩\n\n⟨BODY⟩" + end
}

// fill makes a mail of a template.
func fill(t testing.TB, mail string, w wrap) string {
	half := len(w.cte) / 2
	mail = strings.NewReplacer(
		"⟨CTE⟩", w.cte, "⟨BODY⟩", w.body, "⟨C-\n TE⟩", w.cte[:half]+"\n "+w.cte[half:], "⟨C TE⟩", w.cte[:half]+" "+w.cte[half:],
		"⟨C\x00TE⟩", w.cte[:half]+"\x00"+w.cte[half:], "⟨Cte⟩", strings.ToUpper(w.cte[:half])+w.cte[half:],
	).Replace(mail)
	mail = strings.ReplaceAll(strings.ReplaceAll(mail, "\n", "\r\n"), "⟪LF⟫", "\n")
	before, rest, found := strings.Cut(mail, "⟨ENCODED ")
	if !found {
		return mail
	}
	inside, after, _ := strings.Cut(rest, "⟩")
	return before + encode(t, inside, w) + after
}
