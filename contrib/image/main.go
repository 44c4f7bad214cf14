// Command image packs a tree of files as a container image, one file that "docker load",
// "podman load" and skopeo take:
//
//	go run ./contrib/image TREE MACHINE VERSION IMAGE.tar
//
// The image begins with nothing: it has the files of the tree, the certificates of the
// authorities that Mozilla trusts, the zones of time, and a user for the daemon alone. The
// same tree gives the same image, byte for byte; its time is SOURCE_DATE_EPOCH.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"
)

func main() {
	if len(os.Args) != 5 {
		fmt.Fprintln(os.Stderr, "usage: image TREE amd64|arm64 VERSION IMAGE.tar")
		os.Exit(64)
	}
	if err := pack(os.Args[1], os.Args[2], os.Args[3], os.Args[4]); err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

// pack writes the image of a tree to a file, or leaves no file.
func pack(tree, machine, version, name string) error {
	seconds, err := strconv.ParseInt(os.Getenv("SOURCE_DATE_EPOCH"), 10, 64)
	if err != nil {
		return fmt.Errorf("SOURCE_DATE_EPOCH is to be the time of the image, in seconds: %v", err)
	}
	if machine != "amd64" && machine != "arm64" {
		return fmt.Errorf("%q is no machine that images are made for", machine)
	}
	when := time.Unix(seconds, 0).UTC()
	files, err := contents(tree, os.Getenv("ZONES"))
	if err != nil {
		return err
	}
	l, err := newLayer(files, when)
	if err != nil {
		return err
	}
	out, err := os.Create(name)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(out)
	err = errors.Join(writeImage(w, describe(l, machine, version, when), l, version, when), w.Flush(), out.Close())
	if err != nil {
		os.Remove(name)
	}
	return err
}
