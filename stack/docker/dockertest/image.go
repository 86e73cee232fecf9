package dockertest

import (
	"archive/tar"
	"bytes"
	"io"
	"os"
	"strings"

	"github.com/docker/docker/api/types/image"
)

// Scratch makes an image that holds nothing but one program, as FROM scratch does, and returns its
// name. The program must be static. The image goes with the test.
func (e *Engine) Scratch(program string) string {
	e.t.Helper()
	ctx, cancel := e.context()
	defer cancel()
	binary, err := os.ReadFile(program)
	e.must(err, "read the program")
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	e.must(w.WriteHeader(&tar.Header{Name: "program", Mode: 0o755, Size: int64(len(binary))}), "pack the program")
	_, err = w.Write(binary)
	e.must(err, "pack the program")
	e.must(w.Close(), "pack the program")

	name := "pitstop-test-" + strings.ToLower(e.Unique) + ":scratch"
	answer, err := e.client.ImageImport(ctx, image.ImportSource{Source: &archive, SourceName: "-"}, name,
		image.ImportOptions{Changes: []string{`ENTRYPOINT ["/program"]`, "LABEL " + Label + "=" + e.Unique}})
	e.must(err, "import the image")
	defer func() { _ = answer.Close() }()
	_, err = io.Copy(io.Discard, answer)
	e.must(err, "import the image")
	e.t.Cleanup(func() {
		ctx, cancel := e.context()
		defer cancel()
		if _, err := e.client.ImageRemove(ctx, name, image.RemoveOptions{Force: true}); err != nil {
			e.t.Logf("the image %s was left behind: %v", name, err)
		}
	})
	return name
}
