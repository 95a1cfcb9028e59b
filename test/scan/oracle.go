// Reads tars with Go's archive/tar, as engines do. Input: JSON with the paths of tars; output: their entries.
package main

import (
	"archive/tar"
	"encoding/base64"
	"encoding/json"
	"io"
	"os"
	"sort"
	"strings"
)

// Strings are bytes in base64.
type entry struct {
	Name     string      `json:"name"`
	Flag     string      `json:"flag"`
	Size     int64       `json:"size"`
	Mode     int64       `json:"mode"`
	UID      int         `json:"uid"`
	GID      int         `json:"gid"`
	Seconds  int64       `json:"seconds"`
	Nanos    int         `json:"nanos"`
	Target   string      `json:"target"`
	Major    int64       `json:"major"`
	Minor    int64       `json:"minor"`
	Xattrs   [][2]string `json:"xattrs"`
	Contents string      `json:"contents"`
}

type answer struct {
	Entries []entry `json:"entries"`
	Error   string  `json:"error"`
}

func bytesOf(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

func read(path string) (result answer) {
	result.Entries = []entry{}
	file, err := os.Open(path)
	if err != nil {
		panic(err)
	}
	defer file.Close()
	reader := tar.NewReader(file)
	for {
		header, err := reader.Next()
		if err == io.EOF {
			return
		}
		if err != nil {
			result.Error = err.Error()
			return
		}
		if header.Typeflag == tar.TypeXGlobalHeader {
			continue
		}
		contents, err := io.ReadAll(reader)
		if err != nil {
			result.Error = err.Error()
			return
		}
		one := entry{
			Name: bytesOf(header.Name), Flag: bytesOf(string([]byte{header.Typeflag})), Size: header.Size, Mode: header.Mode,
			UID: header.Uid, GID: header.Gid, Seconds: header.ModTime.Unix(), Nanos: header.ModTime.Nanosecond(),
			Target: bytesOf(header.Linkname), Major: header.Devmajor, Minor: header.Devminor, Xattrs: [][2]string{},
			Contents: base64.StdEncoding.EncodeToString(contents),
		}
		for key, value := range header.PAXRecords {
			if strings.HasPrefix(key, "SCHILY.xattr.") && value != "" {
				one.Xattrs = append(one.Xattrs, [2]string{bytesOf(key[len("SCHILY.xattr."):]), bytesOf(value)})
			}
		}
		sort.Slice(one.Xattrs, func(i, j int) bool { return one.Xattrs[i][0] < one.Xattrs[j][0] })
		result.Entries = append(result.Entries, one)
	}
}

func main() {
	var paths []string
	if err := json.NewDecoder(os.Stdin).Decode(&paths); err != nil {
		panic(err)
	}
	answers := []answer{}
	for _, path := range paths {
		answers = append(answers, read(path))
	}
	json.NewEncoder(os.Stdout).Encode(answers)
}
