package doctor

import (
	"archive/zip"
	"bytes"
	"io"
	"strings"
)

// testVirus returns the EICAR test string, in two pieces so that no engine takes this
// program for it.
func testVirus() []byte {
	return []byte(`X5O!P%@AP[4\PZX54(P^)7CC)7}$` + `EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*`)
}

// room is more than a zip archive adds to two stored members.
const room = 1 << 10

// largeArchive returns a zip archive of size bytes, of which the last are the test
// virus.
func largeArchive(size int) ([]byte, error) {
	var b bytes.Buffer
	b.Grow(size)
	z := zip.NewWriter(&b)
	for _, member := range []struct {
		name    string
		content io.Reader
	}{
		{"padding", io.LimitReader(zeros{}, int64(max(size-room, 0)))},
		{"eicar.com", bytes.NewReader(testVirus())},
	} {
		w, err := z.CreateHeader(&zip.FileHeader{Name: member.name, Method: zip.Store})
		if err != nil {
			return nil, err
		}
		if _, err := io.Copy(w, member.content); err != nil {
			return nil, err
		}
	}
	err := z.Close()
	return b.Bytes(), err
}

// zeros reads as zeros without end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// deeper is more than any MaxRecursion of clamd, which is 100 at most.
const deeper = 110

// deepArchive returns a harmless text in more zip archives than clamd opens.
func deepArchive() []byte {
	content := []byte(strings.Repeat("nothing to see here\n", 10))
	for range deeper {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		w, err := z.CreateHeader(&zip.FileHeader{Name: "a.zip", Method: zip.Store})
		if err == nil {
			_, err = w.Write(content)
		}
		if err != nil || z.Close() != nil {
			return nil // into memory: cannot fail
		}
		content = b.Bytes()
	}
	return content
}
