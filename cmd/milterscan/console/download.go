package console

import (
	"mime"
	"net/http"
	"strconv"
	"strings"
	"unicode"

	"github.com/milterscan/milterscan/cmd/milterscan/console/login"
	"github.com/milterscan/milterscan/scan"
)

// zipPassword opens the archives in which parts are handed over: the word by which those
// who study malware know that such a file is not to be opened by chance. It keeps virus
// scanners on the way from taking the file, and is no secret.
const zipPassword = "infected"

// download hands over a part of a kept message, or all of it, as a file that no browser
// shows, or in an encrypted archive.
func (c *Console) download(w http.ResponseWriter, r *http.Request, p login.Person) error {
	f, err := c.kept(r.Context(), p, r.PathValue("id"), login.DownloadParts)
	if err != nil {
		return err
	}
	part := r.PathValue("part")
	if err := c.looks(r, p, login.DownloadParts, f.Record.ID+" part "+part, "handed over"); err != nil {
		return err
	}
	o, err := c.open(r.Context(), f.Record.ID)
	if err != nil {
		return err
	}
	defer o.Close()
	content, name := scan.Content(o.Message().Raw), f.Record.ID+".eml"
	if part != "message" {
		at, err := partOf(o, part)
		if err != nil {
			return err
		}
		content, name = at.Content, fileName(at.Name(), f.Record.ID+"-"+part)
	}
	h := w.Header()
	h.Set("Content-Security-Policy", policyOfFiles)
	h.Set("Content-Type", "application/octet-stream")
	if r.URL.Query().Get("zip") == "1" {
		h.Set("Content-Disposition", attachmentNamed(f.Record.ID+"-"+part+".zip"))
		return sendEncrypted(r.Context(), w, name, content)
	}
	h.Set("Content-Disposition", attachmentNamed(name))
	h.Set("Content-Length", strconv.FormatInt(content.Size(), 10))
	return send(r.Context(), w, content)
}

// attachmentNamed returns a Content-Disposition.
func attachmentNamed(name string) string {
	if s := mime.FormatMediaType("attachment", map[string]string{"filename": name}); s != "" {
		return s
	}
	return "attachment"
}

// fileName makes a name for a file of a name from a message: the last element of it, without
// what no file system takes, controls and marks of direction.
func fileName(name, other string) string {
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	name = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || strings.ContainsRune(`<>:"|?*`, r) {
			return '_'
		}
		return r
	}, clip(name, 100))
	if name = strings.Trim(name, ". "); name == "" {
		return other
	}
	return name
}
