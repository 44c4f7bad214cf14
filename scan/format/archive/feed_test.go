package archive

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/milterscan/milterscan/scan/units"
)

// Streams that next to nothing is in, as programs write them.
var streams = map[string]string{
	"gzip":        "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x03\x00\x00\x00\x00\x00\x00\x00\x00\x00",
	"bzip2":       "BZh91AY&SY\x77\x4b\xb0\x14\x00\x00\x00\x00\x80\x00\x40\x20\x00\x21\x18\x46\x82\xee\x48\xa7\x0a\x12\x0e\xe9\x76\x02\x80",
	"bzip2, none": "BZh9\x17\x72\x45\x38\x50\x90\x00\x00\x00\x00",
	"xz":          "\xfd7zXZ\x00\x00\x04\xe6\xd6\xb4\x46\x00\x00\x00\x00\x1c\xdf\x44\x21\x1f\xb6\xf3\x7d\x01\x00\x00\x00\x00\x04YZ",
	"lz4":         "\x04\x22\x4d\x18\x64\x40\xa7\x00\x00\x00\x00\x05\x5d\xcc\x02",
	"lz4, legacy": lz4Legacy,
	"zstd":        "\x28\xb5\x2f\xfd\x24\x00\x01\x00\x00\x99\xe9\xd8\x51",
}

// worked walks over a file as its beginning says, and returns the work that was charged,
// how much of the file was read, and the codes of the notes.
func worked(t *testing.T, file string, limit time.Duration) (done time.Duration, read int64, codes string, err error) {
	t.Helper()
	c := &countedReads{Reader: strings.NewReader(file)}
	formats := NewDetector(Formats()).Beginning(c)
	c.bytes = 0
	if len(formats) == 0 {
		t.Fatal("of no format")
	}
	const much = 1 << 40
	b := NewBudget(Limits{Expanded: much, Member: much, Ratio: much, Entries: 1 << 20, Depth: 1})
	ctx, stop := b.Within(t.Context(), limit)
	defer stop()
	notes, err := formats[0].Walk(ctx, c, b, func(_ Member, r io.Reader) error {
		if r != nil {
			io.Copy(io.Discard, r)
		}
		return nil
	})
	for _, n := range notes {
		codes += n.Code + " "
	}
	return b.Worked(), c.bytes, codes, err
}

// countedReads is a content that knows how much of it was read.
type countedReads struct {
	*strings.Reader
	bytes int64
}

func (c *countedReads) ReadAt(p []byte, off int64) (int, error) {
	n, err := c.Reader.ReadAt(p, off)
	c.bytes += int64(n)
	return n, err
}

// TestStreamsOfNothingAreCharged has files of very many streams that next to nothing is
// in: twice as many cost twice as much, and no decoder reads on after the limit.
func TestStreamsOfNothingAreCharged(t *testing.T) {
	for name, one := range streams {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			count := 400 << 10 / len(one)
			some, _, codes, err := worked(t, strings.Repeat(one, count), 0)
			more, _, _, _ := worked(t, strings.Repeat(one, 2*count), 0)
			if name == "lz4, legacy" {
				if codes != damagedMember+" " {
					t.Errorf("noted %s", codes)
				}
				return
			}
			if err != nil || some < time.Duration(count)*time.Microsecond/4 || more < 19*some/10 {
				t.Errorf("%d streams are work of %v, twice as many of %v (%s, %v)", count, some, more, codes, err)
			}
			file := strings.Repeat(one, 16<<20/len(one))
			done, read, _, err := worked(t, file, 100*time.Millisecond)
			if !errors.Is(err, context.Canceled) || read > 4<<20 || done > 400*time.Millisecond {
				t.Errorf("work of 100 ms: %v, %d bytes read, %v", done, read, err)
			}
		})
	}
}

// TestBlocksOfNothingAreCharged inflates data that consist of tables of codes.
func TestBlocksOfNothingAreCharged(t *testing.T) {
	var z bytes.Buffer
	z.WriteString("\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03")
	for range 16 << 20 / 5 {
		z.WriteString("\x00\x00\x00\xff\xff") // a block of no bytes
	}
	_, read, _, err := worked(t, z.String(), 100*time.Millisecond)
	if !errors.Is(err, context.Canceled) || read > 4<<20 {
		t.Errorf("%d bytes read, %v", read, err)
	}
}

// priceLiteral is what a byte of LZMA costs that does not pack.
const priceLiteral = 9 * priceStep

// TestPackedDataAreChargedForWhatTheyTake holds the work that is charged for data that
// hardly pack to what decoders take for each packed byte, and that of other files to far
// less.
func TestPackedDataAreChargedForWhatTheyTake(t *testing.T) {
	for name, each := range map[string]Price{
		"long-text.Z": codecBits.in, "eicar.com.bz2": codecSorted.in, "eicar.com.xz": priceLiteral, "lzma.7z": priceLiteral,
		"bzip2.7z": codecSorted.in, "deflate.7z": codecDeflate.in, "level2-lh5.lzh": codecBits.in, "m1.arj": codecBits.in,
	} {
		file, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		done, _, _, _ := worked(t, string(file), 0)
		if least := time.Duration(int64(len(file))*int64(each)/1000) / 4; done < least || done > 50*time.Millisecond {
			t.Errorf("%s, of %d bytes, is work of %v; want %v at least", name, len(file), done, least)
		}
	}
}

// TestSevenZipsCostWhatTheirCodersDo reads what coders the folders of a 7z have.
func TestSevenZipsCostWhatTheirCodersDo(t *testing.T) {
	for name, want := range map[string]codec{
		"copy.7z": codecFast, "deflate.7z": codecDeflate, "bzip2.7z": codecApart, "lzma.7z": codecLZMA, "lzma2.7z": codecLZMA,
		"encrypted.7z": {codecFast.in, codecLZMA.out},
	} {
		file, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		costs := sevenZipCosts(bytes.NewReader(file), newWindows(NewBudget(Limits{}), int64(maxWindow)))
		if len(costs) == 0 {
			t.Errorf("%s: no folder", name)
			continue
		}
		for _, got := range costs {
			if got.codec != want || (got.rounds > 0) != (name == "encrypted.7z") {
				t.Errorf("%s: %+v, want %+v", name, got, want)
			}
		}
	}
	for i, c := range []struct {
		method, properties string
		want               sevenZipCost
	}{
		{"\x03\x04\x01", "\x06\x00\x00\x00\x04", sevenZipCost{codec: codecGuess, window: int64(64 * units.MB)}},
		{"\x03\x03\x01\x1b", "", sevenZipCost{codec: codecBranch}},
		{"\x21", "\x18", sevenZipCost{codec: codecLZMA}},
		{"\x06\xf1\x07\x01", "\x13", sevenZipCost{codec: codecFast, rounds: 1 << 19}},
		{"\x06\xf1\x07\x01", "\x3f", sevenZipCost{codec: codecFast, rounds: mostRounds}},
		{"", "", sevenZipCost{codec: codecFast}},
	} {
		var got sevenZipCost
		if got.add([]byte(c.method), []byte(c.properties)); got != c.want {
			t.Errorf("%d: %+v, want %+v", i, got, c.want)
		}
	}
}

// TestLargestAttachmentOfPhotosIsRead holds the price of LZMA to what fills a mail of 25 MB
// and does not pack: it is opened within the work for the archives of a message, 2 s, and
// what the mail itself takes.
func TestLargestAttachmentOfPhotosIsRead(t *testing.T) {
	const attachment, mail, others = 18_200_000, 25_000_000, 9_000
	work := time.Duration(attachment*int64(priceLiteral+codecLZMA.in+codecLZMA.out+priceByte+priceSeen)+mail*others) / 1000
	if work >= 2*time.Second {
		t.Errorf("it takes work of %v", work)
	}
}
