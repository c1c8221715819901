package intake

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"os"
	"strings"

	"github.com/openclaw/openclaw-go"
)

// maxUnpacked is the most bytes that are unpacked of a tar file: the files and
// the blocks around them.
const maxUnpacked = maxTotal + maxEntries*2048

// archive takes in the files of an archive, by the ending of its name.
func (in *sink) archive(ctx context.Context, source string) error {
	data, err := os.ReadFile(source)
	if err != nil {
		return failed("cannot read "+source, err)
	}
	switch name := strings.ToLower(source); {
	case strings.HasSuffix(name, ".zip"), strings.HasSuffix(name, ".skill"):
		return in.zip(ctx, data)
	case strings.HasSuffix(name, ".tar"):
		return in.tar(ctx, bytes.NewReader(data))
	case strings.HasSuffix(name, ".tar.gz"), strings.HasSuffix(name, ".tgz"):
		unzipped, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			return damaged(err)
		}
		return in.tar(ctx, unzipped)
	}
	return refuse("%s is neither a directory nor a .zip, .tar.gz, .tgz or .tar file", source)
}

func damaged(err error) error {
	return &openclaw.Error{Code: openclaw.CodeInvalidMessage, Message: "the archive is damaged", Err: err}
}

func (in *sink) zip(ctx context.Context, data []byte) error {
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return damaged(err)
	}
	for _, f := range archive.File {
		if err := ctx.Err(); err != nil {
			return err
		}
		out, err := in.skips(f.Name)
		switch {
		case err != nil:
			return err
		case out:
			continue
		case f.Mode().IsDir():
			if _, err := checkName(f.Name); err != nil {
				return err
			}
			continue
		}
		content, err := f.Open()
		if err != nil {
			return damaged(err)
		}
		err = in.put(f.Name, f.Mode(), content)
		if err = errors.Join(err, content.Close()); err != nil {
			return err
		}
	}
	return nil
}

func (in *sink) tar(ctx context.Context, r io.Reader) error {
	archive := tar.NewReader(io.LimitReader(r, maxUnpacked))
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return damaged(err)
		}
		if h.Typeflag == tar.TypeXGlobalHeader { // git's note of the commit
			continue
		}
		out, err := in.skips(h.Name)
		switch {
		case err != nil:
			return err
		case out:
		case h.Typeflag == tar.TypeDir:
			if strings.Trim(h.Name, "./") == "" {
				continue
			}
			_, err = checkName(h.Name)
		case h.Typeflag != tar.TypeReg:
			err = refuse("%.60q is a link or a device; only text files are taken", h.Name)
		default:
			err = in.put(h.Name, h.FileInfo().Mode(), archive)
		}
		if err != nil {
			return err
		}
	}
}
