#!/bin/sh
# Makes the samples beside this script with real programs: one line each says
# how. Every one holds the EICAR test file under the name eicar.com, unless the
# name of the sample says otherwise. Needs 7z zip bsdtar xz zstd lz4 compress
# cpio ar bzip2 lzma gcab arj genisoimage qpdf pdfattach jlha
# and jshell with jlha's library; what is missing leaves its sample as it is.
set -u
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
printf '%s%s' 'X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD' '-ANTIVIRUS-TEST-FILE!$H+H*' >eicar.com
for i in $(seq 200); do echo "line $i of a text that repeats itself"; done >long.txt
head -20 long.txt >text.txt
touch -t 202601010000 eicar.com text.txt long.txt

make() { # sample command...
	sample=$1
	shift
	command -v "$1" >/dev/null || return 0
	rm -f out*
	if "$@" >/dev/null 2>&1 </dev/null && [ -s out* ]; then
		mv out* "$here/$sample"
	else
		echo "$sample: $* failed" >&2
	fi
}
to() { # command... with its output in out
	"$@" >out
}
pack() { # cpio FORMAT
	printf 'eicar.com\n' | cpio -o -H "$1" >out
}

for method in copy deflate deflate64 bzip2 lzma ppmd; do
	make "7z-$method.zip" 7z a -tzip "-mm=$method" out.zip eicar.com text.txt
done
make info.zip zip -X out.zip eicar.com text.txt
make stream.zip sh -c 'cat eicar.com | zip -X - - >out' # a data descriptor, named "-"
make zipcrypto.zip zip -X -P secret out.zip eicar.com text.txt
for bits in 128 192 256; do
	make "aes$bits.zip" 7z a -tzip "-mem=AES$bits" -psecret out.zip eicar.com text.txt
done
make bsd.zip bsdtar -a --format zip -cf out eicar.com text.txt
for format in odc newc crc bin; do
	command -v cpio >/dev/null && pack "$format" 2>/dev/null && mv out "$here/$format.cpio"
done
make gnu.ar ar qc out eicar.com text.txt
cp eicar.com a-name-that-is-too-long-for-the-header.com
make long.ar ar qc out a-name-that-is-too-long-for-the-header.com eicar.com
make bsd-long.ar bsdtar --format arbsd -cf out a-name-that-is-too-long-for-the-header.com eicar.com
make eicar.com.xz sh -c 'xz -k eicar.com && mv eicar.com.xz out'
make sha256.xz to xz -c --check=sha256 eicar.com
make none.xz to xz -c --check=none eicar.com
make blocks-text.xz to xz -c --block-size=4000 long.txt
make x86.xz to xz -c --x86 --lzma2 eicar.com
make eicar.com.lzma to xz -c --format=lzma eicar.com
make eicar.com.lz sh -c 'bsdtar --lzip --format raw -cf out eicar.com'
make eicar.com.zst to zstd -q -c eicar.com
make eicar.com.lz4 to lz4 -q -c eicar.com
make legacy.lz4 to lz4 -q -l -c eicar.com
make eicar.com.Z to compress -f -c eicar.com
make long-text.Z to compress -f -c long.txt
make narrow-text.Z to compress -f -b 10 -c long.txt
make eicar.com.bz2 to bzip2 -c eicar.com
make eicar.com.tar.gz bsdtar -czf out eicar.com text.txt
for method in copy lzma lzma2 bzip2 ppmd deflate; do
	make "$method.7z" 7z a "-m0=$method" out.7z eicar.com text.txt
done
make solid-bcj.7z 7z a -mf=BCJ out.7z eicar.com text.txt
make encrypted.7z 7z a -psecret out.7z eicar.com text.txt
make encrypted-copy.7z 7z a -m0=copy -psecret out.7z eicar.com text.txt
make encrypted-names.7z 7z a -psecret -mhe=on out.7z eicar.com text.txt
make stored.cab gcab -c out eicar.com text.txt
make mszip.cab gcab -cz out eicar.com text.txt
make long-text.cab gcab -cz out long.txt
for method in 0 1 2 3 4; do
	make "m$method.arj" arj a "-m$method" out.arj eicar.com text.txt
done
make garbled.arj arj a -gsecret out.arj eicar.com text.txt
for level in 0 1 2; do
	for method in 5 6 7; do
		make "level$level-lh$method.lzh" jlha "-a${level}qo$method" out eicar.com text.txt
	done
done

cat >lha.jsh <<'END'
import jp.gr.java_conf.dangan.util.lha.*;
import java.nio.file.*;
for (String method : new String[]{"lh1", "lh2", "lh4", "lzs", "lz4", "lz5"}) {
	var out = new LhaOutputStream(new java.io.FileOutputStream(method + ".lzh"));
	for (String name : new String[]{"eicar.com", "text.txt"}) {
		var text = Files.readAllBytes(Path.of(name));
		var h = new LhaHeader(name);
		h.setCompressMethod("-" + method + "-");
		h.setOriginalSize(text.length);
		h.setLastModified(new java.util.Date(1767225600000L));
		out.putNextEntry(h);
		out.write(text);
		out.closeEntry();
	}
	out.close();
}
/exit
END
command -v jshell >/dev/null && jshell --class-path "$(ls /usr/share/java/jlha-*.jar)" lha.jsh 2>/dev/null
for method in lh1 lh2 lh4 lzs lz4 lz5; do
	make "$method.lzh" mv "$method.lzh" out
done

# Images are mostly zeros, and kept packed.
mkdir -p "disc/a directory"
cp eicar.com disc
cp text.txt "disc/a directory/a name that is too long for ISO 9660.txt"
find disc -exec touch -t 202601010000 {} +
image() { # sample option...
	sample=$1
	shift
	make "$sample.iso.gz" sh -c 'genisoimage -quiet "$@" disc | gzip -9n >out' sh "$@"
}
image plain
image joliet -J
image rock -R
image both -J -R
image level4 -iso-level 4
image udf -J -udf
image hfs -J -hfs
image hidden -J -hide-joliet eicar.com
make bsd.iso.gz sh -c 'bsdtar --format iso9660 -C disc -cf - . | gzip -9n >out'

cat >small.pdf <<'END'
%PDF-1.7
1 0 obj
<< /Type /Catalog /Pages 2 0 R >>
endobj
2 0 obj
<< /Type /Pages /Kids [3 0 R] /Count 1 >>
endobj
3 0 obj
<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] >>
endobj
trailer
<< /Root 1 0 R /Size 4 >>
END
qpdf --warning-exit-0 --no-warn small.pdf --add-attachment eicar.com -- attached.pdf
make qpdf.pdf cp attached.pdf out
make objects.pdf qpdf --object-streams=generate attached.pdf out
make poppler.pdf pdfattach attached.pdf text.txt out
for bits in 40 128 256; do
	make "owner$bits.pdf" qpdf --allow-weak-crypto --encrypt "" owner "$bits" -- attached.pdf out
done
make owner128aes.pdf qpdf --encrypt "" owner 128 --use-aes=y -- attached.pdf out
make owner256objects.pdf qpdf --object-streams=generate --encrypt "" owner 256 -- attached.pdf out
make locked128.pdf qpdf --encrypt secret owner 128 --use-aes=y -- attached.pdf out
make locked256.pdf qpdf --encrypt secret owner 256 -- attached.pdf out
