// Decodes documents into the structs of engines, and prints the errors of encoding/json. Used by go-oracle.test.ts.
package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"
)

type Digest string
type MediaType string
type DiffID string
type ID string
type Port string
type PortSet map[Port]struct{}
type StrSlice []string

func (s *StrSlice) UnmarshalJSON(b []byte) error {
	words := make([]string, 0, 1)
	if err := json.Unmarshal(b, &words); err != nil {
		var word string
		if err := json.Unmarshal(b, &word); err != nil {
			return err
		}
		words = append(words, word)
	}
	*s = words
	return nil
}

type Hash struct{ Algorithm, Hex string }

func (h *Hash) parse(text string) error {
	parts := strings.SplitN(text, ":", 2)
	if len(parts) != 2 {
		return fmt.Errorf("cannot parse hash: %q", text)
	}
	if rest := strings.TrimLeft(parts[1], "0123456789abcdef"); rest != "" {
		return fmt.Errorf("found non-hex character in hash: %c", []rune(rest)[0])
	}
	if parts[0] != "sha256" {
		return fmt.Errorf("unsupported hash: %q", parts[0])
	}
	if _, err := hex.DecodeString(parts[1]); err != nil || len(parts[1]) != 64 {
		return fmt.Errorf("wrong number of hex digits for sha256: %s", parts[1])
	}
	h.Algorithm, h.Hex = parts[0], parts[1]
	return nil
}

func (h *Hash) UnmarshalJSON(b []byte) error {
	var text string
	if err := json.Unmarshal(b, &text); err != nil {
		return err
	}
	return h.parse(text)
}

func (h *Hash) UnmarshalText(b []byte) error { return h.parse(string(b)) }

func (h Hash) MarshalText() ([]byte, error) { return []byte(h.Algorithm + ":" + h.Hex), nil }

func oci() map[string]func() any {
	type Platform struct {
		Architecture string   `json:"architecture"`
		OS           string   `json:"os"`
		OSVersion    string   `json:"os.version"`
		OSFeatures   []string `json:"os.features"`
		Variant      string   `json:"variant"`
	}
	type Descriptor struct {
		MediaType    string            `json:"mediaType"`
		Digest       Digest            `json:"digest"`
		Size         int64             `json:"size"`
		URLs         []string          `json:"urls"`
		Annotations  map[string]string `json:"annotations"`
		Data         []byte            `json:"data"`
		Platform     *Platform         `json:"platform"`
		ArtifactType string            `json:"artifactType"`
	}
	type Versioned struct {
		SchemaVersion int `json:"schemaVersion"`
	}
	type Index struct {
		Versioned
		MediaType    string            `json:"mediaType"`
		ArtifactType string            `json:"artifactType"`
		Manifests    []Descriptor      `json:"manifests"`
		Subject      *Descriptor       `json:"subject"`
		Annotations  map[string]string `json:"annotations"`
	}
	type Manifest struct {
		Versioned
		MediaType    string            `json:"mediaType"`
		ArtifactType string            `json:"artifactType"`
		Config       Descriptor        `json:"config"`
		Layers       []Descriptor      `json:"layers"`
		Subject      *Descriptor       `json:"subject"`
		Annotations  map[string]string `json:"annotations"`
	}
	type OCI1 struct{ Manifest }
	type ImageConfig struct {
		User, WorkingDir, StopSignal string
		ExposedPorts, Volumes        map[string]struct{}
		Env, Entrypoint, Cmd         []string
		Labels                       map[string]string
		ArgsEscaped                  bool
	}
	type RootFS struct {
		Type    string   `json:"type"`
		DiffIDs []Digest `json:"diff_ids"`
	}
	type History struct {
		Created    *time.Time `json:"created"`
		CreatedBy  string     `json:"created_by"`
		Author     string     `json:"author"`
		Comment    string     `json:"comment"`
		EmptyLayer bool       `json:"empty_layer"`
	}
	type Image struct {
		Created *time.Time `json:"created"`
		Author  string     `json:"author"`
		Platform
		Config  ImageConfig `json:"config"`
		RootFS  RootFS      `json:"rootfs"`
		History []History   `json:"history"`
	}
	return map[string]func() any{
		"index": func() any { return new(Index) },
		"oci1":  func() any { return new(OCI1) },
		"image": func() any { return new(Image) },
		"ambiguous": func() any {
			return &struct {
				Config    any `json:"config"`
				FSLayers  any `json:"fsLayers"`
				History   any `json:"history"`
				Layers    any `json:"layers"`
				Manifests any `json:"manifests"`
			}{}
		},
	}
}

func moby() map[string]func() any {
	type Platform struct {
		Architecture string   `json:"architecture"`
		OS           string   `json:"os"`
		OSVersion    string   `json:"os.version"`
		OSFeatures   []string `json:"os.features"`
		Variant      string   `json:"variant"`
	}
	type Descriptor struct {
		MediaType   string            `json:"mediaType"`
		Digest      Digest            `json:"digest"`
		Size        int64             `json:"size"`
		URLs        []string          `json:"urls"`
		Annotations map[string]string `json:"annotations"`
		Platform    *Platform         `json:"platform"`
	}
	type manifestItem struct {
		Config       string
		RepoTags     []string
		Layers       []string
		Parent       ID
		LayerSources map[DiffID]Descriptor
	}
	type HealthConfig struct {
		Test                                          []string
		Interval, Timeout, StartPeriod, StartInterval time.Duration
		Retries                                       int
	}
	type Config struct {
		Hostname, Domainname, User              string
		AttachStdin, AttachStdout, AttachStderr bool
		ExposedPorts                            PortSet
		Tty, OpenStdin, StdinOnce               bool
		Env                                     []string
		Cmd                                     StrSlice
		Healthcheck                             *HealthConfig
		ArgsEscaped                             bool
		Image                                   string
		Volumes                                 map[string]struct{}
		WorkingDir                              string
		Entrypoint                              StrSlice
		NetworkDisabled                         bool
		MacAddress                              string
		OnBuild                                 []string
		Labels                                  map[string]string
		StopSignal                              string
		StopTimeout                             *int
		Shell                                   StrSlice
	}
	type V1Image struct {
		ID              string    `json:"id"`
		Parent          string    `json:"parent"`
		Comment         string    `json:"comment"`
		Created         time.Time `json:"created"`
		Container       string    `json:"container"`
		ContainerConfig Config    `json:"container_config"`
		DockerVersion   string    `json:"docker_version"`
		Author          string    `json:"author"`
		Config          *Config   `json:"config"`
		Architecture    string    `json:"architecture"`
		Variant         string    `json:"variant"`
		OS              string    `json:"os"`
		Size            int64
	}
	type RootFS struct {
		Type    string   `json:"type"`
		DiffIDs []Digest `json:"diff_ids"`
	}
	type History struct {
		Created    time.Time `json:"created"`
		Author     string    `json:"author"`
		CreatedBy  string    `json:"created_by"`
		Comment    string    `json:"comment"`
		EmptyLayer bool      `json:"empty_layer"`
	}
	type Image struct {
		V1Image
		Parent     Digest    `json:"parent"`
		RootFS     *RootFS   `json:"rootfs"`
		History    []History `json:"history"`
		OSVersion  string    `json:"os.version"`
		OSFeatures []string  `json:"os.features"`
	}
	return map[string]func() any{
		"items":      func() any { return new([]manifestItem) },
		"moby-image": func() any { return new(Image) },
	}
}

func crane() map[string]func() any {
	type Platform struct {
		Architecture string   `json:"architecture"`
		OS           string   `json:"os"`
		OSVersion    string   `json:"os.version"`
		OSFeatures   []string `json:"os.features"`
		Variant      string   `json:"variant"`
		Features     []string `json:"features"`
	}
	type Descriptor struct {
		MediaType    MediaType         `json:"mediaType"`
		Size         int64             `json:"size"`
		Digest       Hash              `json:"digest"`
		Data         []byte            `json:"data"`
		URLs         []string          `json:"urls"`
		Annotations  map[string]string `json:"annotations"`
		Platform     *Platform         `json:"platform"`
		ArtifactType string            `json:"artifactType"`
	}
	type source = Descriptor
	{
		type Descriptor struct {
			Config       string
			RepoTags     []string
			Layers       []string
			LayerSources map[Hash]source
		}
		type Manifest []Descriptor
		return map[string]func() any{"crane-items": func() any { return new(Manifest) }}
	}
}

type question struct {
	Type, Mode string
	Text       []byte
}

type answer struct {
	Error string
	Value any
}

func ask(types map[string]func() any, q question) answer {
	into := types[q.Type]()
	var err error
	if q.Mode == "whole" {
		err = json.Unmarshal(q.Text, into)
	} else {
		err = json.NewDecoder(bytes.NewReader(q.Text)).Decode(into)
	}
	if err != nil {
		return answer{Error: err.Error()}
	}
	return answer{Value: into}
}

func main() {
	types := map[string]func() any{}
	for _, some := range []map[string]func() any{oci(), moby(), crane()} {
		for name, make := range some {
			types[name] = make
		}
	}
	var questions []question
	if err := json.NewDecoder(os.Stdin).Decode(&questions); err != nil {
		panic(err)
	}
	answers := []answer{}
	for _, q := range questions {
		answers = append(answers, ask(types, q))
	}
	if err := json.NewEncoder(os.Stdout).Encode(answers); err != nil {
		panic(err)
	}
}
