package daemon

import (
	"bytes"
	"fmt"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/milterscan/milterscan/policy"
)

// newEncoder returns the encoder of lines in a format: "json" or "console".
func newEncoder(format string) (zapcore.Encoder, error) {
	e := zap.NewProductionEncoderConfig()
	e.TimeKey = "time"
	e.EncodeTime = func(t time.Time, out zapcore.PrimitiveArrayEncoder) {
		out.AppendString(t.UTC().Truncate(time.Millisecond).Format(time.RFC3339Nano))
	}
	e.EncodeDuration = zapcore.MillisDurationEncoder
	switch format {
	case "json":
		return zapcore.NewJSONEncoder(e), nil
	case "console":
		e.ConsoleSeparator = "  "
		return zapcore.NewConsoleEncoder(e), nil
	}
	return nil, fmt.Errorf("log.format: %q; write \"json\" or \"console\"", format)
}

// lostLine returns the line that says how many are missing before it.
func lostLine(e zapcore.Encoder, n int) []byte {
	var line bytes.Buffer
	log := zap.New(zapcore.NewCore(e, zapcore.AddSync(&line), zapcore.WarnLevel))
	log.Warn("lines of the log are lost: it was not read, or could not be written", zap.Int("lost", n))
	return line.Bytes()
}

// visible writes lines with everything escaped that could trick a terminal or a
// reader of the log, wherever it came from.
type visible struct{ zapcore.WriteSyncer }

func (v visible) Write(line []byte) (int, error) {
	if _, err := v.WriteSyncer.Write(policy.VisibleLine(line)); err != nil {
		return 0, err
	}
	return len(line), nil
}
