//go:build !linux

package virus

import (
	"context"
	"net"

	"github.com/milterscan/milterscan/scan"
)

// passDescriptor streams: anonymous files in memory are Linux's own.
func passDescriptor(ctx context.Context, conn *net.UnixConn, c scan.Content, begin string) error {
	return stream(ctx, conn, c, begin)
}
