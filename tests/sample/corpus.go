package sample

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// Small returns n plain mails of about 5 KB each.
func Small(n int) [][]byte {
	mails := make([][]byte, n)
	for i := range mails {
		r := rand.New(rand.NewPCG(1, uint64(i)))
		mails[i] = Plain(fmt.Sprintf("letter %d", i), prose(r, 4600))
	}
	return mails
}

// Mixed returns n mails as a server sees them on a day without an outbreak: 60 in 100
// are letters, 10 newsletters, 18 bring a document or photograph of 50 to 500
// KB, 8 a zip archive, 2 a photograph of 5 to 8 MB, 1 a program and 1 a virus.
func Mixed(n int) [][]byte {
	mails := make([][]byte, n)
	for i := range mails {
		mails[i] = mixed(rand.New(rand.NewPCG(2, uint64(i))), i)
	}
	return mails
}

func mixed(r *rand.Rand, i int) []byte {
	subject := fmt.Sprintf("mail %d", i)
	// 37 and 100 have no common divisor: every kind comes in its share, spread.
	switch k := i * 37 % 100; {
	case k < 60:
		return Plain(subject, prose(r, 500+r.IntN(9000)))
	case k < 70:
		return Newsletter()
	case k < 88:
		return Attached(subject, Noise("photo.jpg", 50<<10+r.IntN(450<<10), r.Uint64()))
	case k < 96:
		return Attached(subject, Zip("letters.zip", document("one.txt", r), document("two.txt", r)))
	case k < 98:
		return Attached(subject, Noise("panorama.jpg", 5<<20+r.IntN(3<<20), r.Uint64()))
	case k < 99:
		return Attached(subject, Program("setup.exe"))
	default:
		return Attached(subject, EicarFile())
	}
}

// Zips returns n mails with an archive each, some with another inside: of texts, PDF and
// what does not compress, 20 to 300 KB.
func Zips(n int) [][]byte {
	mails := make([][]byte, n)
	for i := range mails {
		r := rand.New(rand.NewPCG(3, uint64(i)))
		files := []File{document("one.txt", r), PDF("two.pdf", prose(r, 2000)),
			Noise("three.jpg", r.IntN(200<<10), r.Uint64())}
		if i%3 == 0 {
			files = append(files, Zip("four.zip", document("five.txt", r), PDF("six.pdf", "text")))
		}
		mails[i] = Attached(fmt.Sprintf("archive %d", i), Zip("files.zip", files...))
	}
	return mails
}

// Large returns n mails with a photograph of 7.3 MB, which are 10 MB.
func Large(n int) [][]byte {
	mails := make([][]byte, n)
	for i := range mails {
		mails[i] = Attached(fmt.Sprintf("large %d", i), Noise("panorama.jpg", 7300<<10, uint64(i)))
	}
	return mails
}

func document(name string, r *rand.Rand) File {
	return File{Name: name, Type: "text/plain", Content: []byte(prose(r, 20<<10+r.IntN(80<<10)))}
}

var words = strings.Fields(`the order of last week has been sent to your address and should arrive
on Tuesday please let us know whether the second box was complete because our list shows one item
less we would like to meet in April as agreed with kind regards many thanks for the quick answer
invoice number total amount delivery garden report meeting minutes house window`)

// prose returns at least n bytes of words in lines of at most 72.
func prose(r *rand.Rand, n int) string {
	var b strings.Builder
	for column := 0; b.Len() < n; {
		w := words[r.IntN(len(words))]
		if column+len(w) > 71 {
			b.WriteString("\r\n")
			column = 0
		} else if column > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(w)
		column += len(w) + 1
	}
	return b.String()
}
