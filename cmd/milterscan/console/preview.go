package console

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"html"
	"html/template"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/microcosm-cc/bluemonday"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/scan"
)

// Three locks guard a page of a message that is shown, each of which would do: what acts in
// it is taken out as rules do it (Opened.Harmless); then only elements and attributes of
// a short list stay (clean); and the rest is shown in a frame that may do nothing, of a
// document that may load nothing but pictures of the same message (policyOfPreview).

// policyOfPreview is the policy of a page of a message: no scripts, no forms, no frames,
// no styles, nothing from elsewhere, in a browsing context with no rights at all.
const policyOfPreview = "default-src 'none'; img-src 'self'; form-action 'none'; frame-ancestors 'self'; base-uri 'none'; sandbox"

// policyOfFiles is the policy of files that are handed over as they came.
const policyOfFiles = "default-src 'none'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'; sandbox"

// shownElements returns the list of what may stay of a page. Nothing that remains can
// lead or fetch anywhere, but for pictures of the same message.
var shownElements = sync.OnceValue(func() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("p", "br", "hr", "div", "span", "blockquote", "pre", "code", "h1", "h2", "h3", "h4", "h5", "h6",
		"b", "strong", "i", "em", "u", "s", "small", "sub", "sup", "center", "ul", "ol", "li", "dl", "dt", "dd",
		"table", "thead", "tbody", "tfoot", "tr", "td", "th", "caption")
	p.AllowAttrs("colspan", "rowspan").Matching(bluemonday.Integer).OnElements("td", "th")
	p.AllowAttrs("dir").Matching(bluemonday.Direction).Globally()
	p.AllowAttrs("alt").OnElements("img")
	p.AllowAttrs("src").Matching(regexp.MustCompile(`(?i)^cid:[^\s"'<>]+$`)).OnElements("img")
	p.AllowURLSchemes("cid")
	return p
})

// clean cleans a page: the second lock.
func clean(page string) string { return shownElements().Sanitize(page) }

// source matches the pictures that clean has left.
var source = regexp.MustCompile(`(<img[^>]*?) src="cid:([^"]*)"`)

// withPictures puts addresses in the places of pictures' Content-IDs, or takes them out
// where there is no such picture or none are wanted.
func withPictures(page string, address func(cid string) string) string {
	return source.ReplaceAllStringFunc(page, func(tag string) string {
		m := source.FindStringSubmatch(tag)
		to := address(html.UnescapeString(m[2]))
		if to == "" {
			return m[1]
		}
		return m[1] + ` src="` + template.HTMLEscapeString(to) + `"`
	})
}

// frame shows a page of a message, by itself.
func (c *Console) frame(w http.ResponseWriter, r *http.Request, p login.Person) error {
	f, err := c.kept(r.Context(), p, r.PathValue("id"), login.SeeContent)
	if err != nil {
		return err
	}
	if err := c.looks(r, p, login.SeeContent, f.Record.ID+" part "+r.PathValue("part"), "shown"); err != nil {
		return err
	}
	o, err := c.open(r.Context(), f.Record.ID)
	if err != nil {
		return err
	}
	defer o.Close()
	at, err := partOf(o, r.PathValue("part"))
	if err != nil || !readable(at) || at.Type != "text/html" {
		return ErrNotFound
	}
	page, err := pageText(r.Context(), o, at)
	if err != nil {
		c.note(r, err)
		return errNotHarmless
	}
	address := func(string) string { return "" }
	if r.URL.Query().Get("pictures") == "1" {
		address = c.pictures(o.Message(), f.Record.ID)
	}
	h := w.Header()
	h.Set("Content-Security-Policy", policyOfPreview)
	h.Set("X-Frame-Options", "SAMEORIGIN")
	h.Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprintf(w, "<!DOCTYPE html>\n<meta charset=\"utf-8\"><meta name=\"color-scheme\" content=\"light\"><title>%s</title>\n%s", f.Record.ID,
		withPictures(clean(page), address))
	return nil
}

// errNotHarmless is shown in place of a page that is not to be shown.
var errNotHarmless = &Problem{http.StatusUnprocessableEntity, "page-not-harmless"}

// pictureType returns the media type under which a part is shown as a picture, "" if it
// is none: by its content, whatever it is declared as, and never one that can act.
func pictureType(at *scan.Part) string {
	if at.Content == nil {
		return ""
	}
	head := make([]byte, min(512, at.Content.Size()))
	n, err := at.Content.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return ""
	}
	switch t := http.DetectContentType(head[:n]); t {
	case "image/png", "image/jpeg", "image/gif", "image/webp":
		return t
	}
	return ""
}

// pictures returns the addresses of a message's pictures by their Content-IDs. They are
// good for a short time and for any who have them: the frame that shows them has not logged in, and
// browsers do not tell us who it is.
func (c *Console) pictures(m *scan.Message, id string) func(cid string) string {
	by := map[string]string{}
	for i := range m.Parts {
		at := &m.Parts[i]
		if at.Entity == nil || at.Archived || pictureType(at) == "" {
			continue
		}
		for _, cid := range at.Entity.Header.Values("Content-ID") {
			by[strings.Trim(strings.TrimSpace(cid), "<>")] = c.pictureAddress(id, i)
		}
	}
	return func(cid string) string { return by[cid] }
}

// pictureTime is how long the address of a picture is good.
const pictureTime = 5 * time.Minute

func (c *Console) pictureAddress(id string, part int) string {
	until := strconv.FormatInt(c.Now().Add(pictureTime).Unix(), 10)
	return "/picture/" + id + "/" + strconv.Itoa(part) + "/" + until + "/" + c.sign(id, strconv.Itoa(part), until)
}

// sign returns the mark of an address that we have made.
func (c *Console) sign(words ...string) string {
	mac := hmac.New(sha256.New, c.key)
	mac.Write([]byte(strings.Join(words, "\n")))
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

// picture serves a picture of a message by an address that a page of it had.
func (c *Console) picture(w http.ResponseWriter, r *http.Request, _ login.Person) error {
	id, part, until := r.PathValue("id"), r.PathValue("part"), r.PathValue("until")
	end, err := strconv.ParseInt(until, 10, 64)
	if err != nil || c.Now().Unix() > end || !hmac.Equal([]byte(r.PathValue("mark")), []byte(c.sign(id, part, until))) {
		return ErrNotFound
	}
	o, err := c.open(r.Context(), id)
	if err != nil {
		return err
	}
	defer o.Close()
	at, err := partOf(o, part)
	if err != nil {
		return err
	}
	mediaType := pictureType(at)
	if mediaType == "" || at.Content.Size() > mostPicture {
		return ErrNotFound
	}
	h := w.Header()
	h.Set("Content-Security-Policy", policyOfFiles)
	h.Set("Cross-Origin-Resource-Policy", "cross-origin") // the frame is of no origin
	h.Set("Content-Type", mediaType)
	return send(r.Context(), w, at.Content)
}

// mostPicture is the largest picture that is shown.
const mostPicture = 10 << 20

// send writes a content.
func send(ctx context.Context, w io.Writer, content scan.Content) error {
	if _, err := io.Copy(w, &until{ctx, scan.Reader(content)}); err != nil {
		panic(http.ErrAbortHandler) // the answer has begun, and must not look whole
	}
	return nil
}

// until ends with a context.
type until struct {
	ctx context.Context
	r   io.Reader
}

func (u *until) Read(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.r.Read(p)
}
