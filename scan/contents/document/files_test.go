package document

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var write = flag.Bool("write", false, "write the documents of tests/files anew")

// handed are the documents in tests/files, by the names they have here. Tests of
// the whole pipeline send them.
var handed = map[string]string{
	"autorun.doc": "doc that runs by itself", "autorun.docm": "docm that runs by itself", "harmless.xlsm": "runs by itself, harmless",
	"stomped.doc": "stomped", "tail.docm": "damaged end of docm", "template.docx": "template", "package.docx": "package in a docx", "package.xls": "package, renamed program",
	"xlm.xlsm": "macro sheet", "xlm.xls": "hidden macro sheet", "field.docx": "field in runs", "update.rtf": "object that updates", "program.one": "note with a program",
	"icon.lnk": "shortcut with an icon", "powershell.lnk": "shortcut to PowerShell", "share.url": "Internet shortcut", "site.library-ms": "library",
	"site.searchConnector-ms": "search connector", "script.svg": "SVG with a script", "launch.pdf": "PDF that launches", "sealed.xlsx": "encrypted workbook", "script.pdf": "PDF with a script",
}

func TestHandedFiles(t *testing.T) {
	rows := bad(t)
	sealed := rows["macro"]
	sealed.rule, sealed.data = "", compoundFile(streamData{"EncryptionInfo", []byte("\x04\x00\x04\x00")}, streamData{"EncryptedPackage", []byte(strings.Repeat("sealed", 100))})
	rows["encrypted workbook"] = sealed
	for file, row := range handed {
		path := filepath.Join("..", "..", "..", "tests", "files", file)
		if *write {
			if err := os.WriteFile(path, rows[row].data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if found := findings(t, file, data); rows[row].rule != "" && found[rows[row].rule] == "" {
			t.Errorf("%s: found %v, want %s", file, found, rows[row].rule)
		}
	}
}
