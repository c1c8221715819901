package sandbox

import (
	"errors"
	"io/fs"
	"os"
)

// makeTemp makes the temporary directory of a job, for its user alone.
func makeTemp() (string, error) {
	dir, err := os.MkdirTemp("", "openclaw-job-")
	if err != nil {
		return "", err
	}
	return resolved(dir), nil
}

// removeTemp removes a job's temporary directory, also what the job has made
// unreadable in there.
func removeTemp(dir string) error {
	err := os.RemoveAll(dir)
	if err == nil {
		return nil
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	err = errors.Join(openUp(root, "."), root.Close())
	return errors.Join(os.RemoveAll(dir), err)
}

// openUp makes the directory called name, and those in it, removable.
func openUp(root *os.Root, name string) error {
	if err := root.Chmod(name, 0o700); err != nil {
		return err
	}
	entries, err := fs.ReadDir(root.FS(), name)
	for _, e := range entries {
		if e.IsDir() {
			child := e.Name()
			if name != "." {
				child = name + "/" + child
			}
			err = errors.Join(err, openUp(root, child))
		}
	}
	return err
}
