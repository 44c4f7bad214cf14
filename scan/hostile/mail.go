package hostile

import "strings"

// letterhead is the top of every mail: what a client shows, and nothing of MIME
// but the version.
const letterhead = "From: Alice <alice@example.org>\r\n" +
	"To: Bob <bob@example.com>\r\n" +
	"Subject: Papers\r\n" +
	"Date: Mon, 02 Mar 2026 10:00:00 +0100\r\n" +
	"Message-ID: <hostile@example.org>\r\n" +
	mimeVersion

const mimeVersion = "MIME-Version: 1.0\r\n"

// note is the harmless text part that every multipart begins with.
const note = "Content-Type: text/plain; charset=us-ascii\r\n\r\nSee the attached papers.\r\n"

// entity is a MIME entity as text: its header without the empty line, and its
// body.
type entity struct{ head, body string }

// text returns the entity as it is in a mail.
func (e entity) text() string { return e.head + crlf + e.body }

const (
	octets     = "Content-Type: application/octet-stream\r\n"
	attached   = "Content-Disposition: attachment; filename=\"papers.dat\"\r\n"
	mixedFoo   = "Content-Type: multipart/mixed; boundary=foo\r\n"
	encodingIs = "Content-Transfer-Encoding: "
)

// attachment returns the ordinary attachment: the payload, encoded, with a harmless
// name.
func attachment(e encoding) entity {
	return entity{octets + attached + encodingIs + e.name + crlf, e.to(EICAR())}
}

// opened returns how any client reads the ordinary attachment.
func opened(e encoding) Reading { return in(content, e.from) }

// multipart returns the body of a multipart whose delimiter lines say delim: the
// note, then the parts.
func multipart(delim string, parts ...string) string {
	var b strings.Builder
	for _, p := range append([]string{note}, parts...) {
		b.WriteString("--" + delim + crlf + p)
	}
	return b.String() + "--" + delim + "--" + crlf
}

// place is where in a mail an entity is.
type place struct {
	name string
	wrap func(entity) string
	read Reading // finds the entity again
}

func atTop() place {
	return place{"top", func(e entity) string { return letterhead + e.text() }, whole}
}

func inPart() place {
	return place{"part", func(e entity) string {
		return letterhead + mixedFoo + crlf + multipart("foo", e.text())
	}, section("foo", 2)}
}

func inNested() place {
	return place{"nested", func(e entity) string {
		inner := "Content-Type: multipart/mixed; boundary=\"=_outer\"\r\n\r\n" +
			multipart("=_outer", mixedFoo+crlf+multipart("foo", e.text()))
		return letterhead + inner
	}, in(section("=_outer", 2), section("foo", 2))}
}

func inForwarded() place {
	return place{"forwarded", func(e entity) string {
		forward := "Content-Type: message/rfc822\r\n\r\n" + letterhead + e.text()
		return letterhead + "Content-Type: multipart/mixed; boundary=\"=_outer\"\r\n\r\n" + multipart("=_outer", forward)
	}, in(section("=_outer", 2), content)}
}

// underOuter puts a composite that uses other delimiters into a mail.
func underOuter() place {
	return place{"nested", func(e entity) string {
		return letterhead + "Content-Type: multipart/mixed; boundary=\"=_outer\"\r\n\r\n" + multipart("=_outer", e.text())
	}, section("=_outer", 2)}
}

func leafPlaces() []place { return []place{atTop(), inPart(), inForwarded()} }

func compositePlaces() []place { return []place{atTop(), underOuter(), inForwarded()} }

// variant is one damage done to one entity.
type variant struct {
	name    string
	why     string
	entity  entity
	read    Reading // from the entity's text to the payload
	payload Payload // zero: the virus
	tidy    bool    // no standard is broken
	unsure  bool    // "not examined" will do
}

// at makes a case of each variant at each place.
func at(places []place, prefix string, variants []variant) []Case {
	var cases []Case
	for _, v := range variants {
		for _, p := range places {
			cases = append(cases, v.at(p, prefix))
		}
	}
	return cases
}

func (v variant) at(p place, prefix string) Case {
	c := Case{
		Name: prefix + p.name + "/" + v.name, Why: v.why,
		Message:       []byte(p.wrap(v.entity)),
		Payload:       v.payload,
		WantDeviation: !v.tidy, MayBeUnscannable: v.unsure,
	}
	if len(c.Payload.Bytes()) == 0 {
		c.Payload = virus()
	}
	if v.read != nil {
		c.Client = in(p.read, v.read)
	}
	return c
}

// inBoth makes the variants of a family in base64 and in quoted-printable.
func inBoth(places []place, variants func(encoding) []variant) []Case {
	var cases []Case
	for _, e := range []encoding{b64(), qp()} {
		cases = append(cases, at(places, e.short()+"/", variants(e))...)
	}
	return cases
}
