// Go's results for templates, formatting and JSON. Reads questions from standard input, writes answers.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"text/template"
	"time"
)

type Level int

func (l Level) String() string { return fmt.Sprintf("level-%d", int(l)) }

type Digest string

func (d Digest) Hex() string { return strings.TrimPrefix(string(d), "sha256:") }

type Port string

type Words []string

type Base struct {
	ID     string `json:"Id"`
	Parent string `json:",omitempty"`
	Shared string
}

func (b Base) Short() string { return b.ID[:3] }

type Extra struct {
	Note   string `json:"note"`
	Shared string
}

type Config struct {
	User string `json:",omitempty"`
	Cmd  Words
	Test *Config `json:",omitempty"`
}

type Spot struct{ X, Y int }

func (s Spot) String() string { return fmt.Sprintf("(%d;%d)", s.X, s.Y) }

type Image struct {
	Base
	*Extra
	Tags      []string
	Cmd       Words
	Env       []string
	Ports     map[Port]struct{} `json:",omitempty"`
	Labels    map[string]string
	NilLabels map[string]string `json:"nilLabels,omitempty"`
	Config    *Config
	NilConfig *Config `json:",omitempty"`
	Created   time.Time
	Updated   *time.Time `json:",omitempty"`
	Size      int64
	Small     uint8
	Big       uint64
	Ratio     float32
	Exact     float64
	On        bool
	Any       interface{}
	NilAny    interface{}
	Hidden    string `json:"-"`
	Level     Level
	Spot      Spot
	SpotAt    *Spot
	Digest    Digest
	List      []*Config
	Structs   []Config
	Raw       []byte
	Nested    map[string]map[string]int
	ByNumber  map[int]string
	Number    json.Number `json:"number"`
	Wait      time.Duration
	Anys      []interface{}
}

func image() *Image {
	created := time.Date(2023, 11, 14, 22, 13, 20, 120000000, time.UTC)
	other := time.Date(2024, 2, 29, 3, 4, 5, 0, time.FixedZone("", 19800))
	return &Image{
		Base:     Base{ID: "sha256:abc", Shared: "base"},
		Tags:     []string{"a:1", "b:2"},
		Cmd:      Words{"/bin/sh", "-c", "x <y> & \"z\""},
		Ports:    map[Port]struct{}{"80/tcp": {}, "443/tcp": {}},
		Labels:   map[string]string{"z": "Über", "a": "1\n2", "\U0001f600": "x", "\uffee": "y"},
		Config:   &Config{User: "root", Cmd: Words{"a"}, Test: &Config{User: "inner"}},
		Created:  created,
		Updated:  &other,
		Size:     -5350282,
		Small:    200,
		Big:      18446744073709551615,
		Ratio:    0.1,
		Exact:    1234567.891,
		On:       true,
		Any:      map[string]interface{}{"b": []interface{}{1.5, nil, "x"}, "a": true},
		Hidden:   "hidden",
		Level:    3,
		Spot:     Spot{1, 2},
		SpotAt:   &Spot{3, 4},
		Digest:   "sha256:ff",
		List:     []*Config{{User: "one"}, nil},
		Structs:  []Config{{User: "two"}, {}},
		Raw:      []byte("hi\x00\xff"),
		Nested:   map[string]map[string]int{"x": {"b": 2, "a": 1}, "y": nil},
		ByNumber: map[int]string{10: "ten", 9: "nine", -1: "minus"},
		Number:   "12.50",
		Wait:     90*time.Second + 5*time.Millisecond,
		Anys:     []interface{}{nil, 1, "two", 3.5, []string{"f"}, &Spot{5, 6}, created},
	}
}

func plain(v interface{}) interface{} {
	switch v := v.(type) {
	case json.Number:
		if i, err := v.Int64(); err == nil {
			return i
		}
		f, _ := v.Float64()
		return f
	case []interface{}:
		texts := make([]string, 0, len(v))
		for i, item := range v {
			v[i] = plain(item)
			if s, ok := item.(string); ok {
				texts = append(texts, s)
			}
		}
		if len(texts) == len(v) {
			return texts
		}
	case map[string]interface{}:
		for key, item := range v {
			v[key] = plain(item)
		}
	}
	return v
}

func spaces(n int) string { return strings.Repeat(" ", n) }

// The functions of docker/cli, cli/templates.
var docker = template.FuncMap{
	"split": strings.Split,
	"join":  strings.Join,
	"title": strings.Title,
	"lower": strings.ToLower,
	"upper": strings.ToUpper,
	"json": func(value interface{}) (string, error) {
		var text strings.Builder
		encoder := json.NewEncoder(&text)
		encoder.SetEscapeHTML(false)
		err := encoder.Encode(value)
		return strings.TrimSpace(text.String()), err
	},
	"pad": func(text string, before, behind int) string {
		padded := spaces(before) + text + spaces(behind)
		if len(text) == 0 {
			return ""
		}
		return padded
	},
	"truncate": func(text string, most int) string {
		if most > len(text) {
			most = len(text)
		}
		return text[:most]
	},
}

// The function of docker/buildx, util/imagetools.
var buildx = template.FuncMap{
	"json": func(value interface{}) string {
		text, _ := json.MarshalIndent(value, "", "  ")
		return string(text)
	},
}

type Question struct {
	Template   string `json:"template"`
	Data       string `json:"data"`
	Functions  string `json:"functions"`
	MissingKey string `json:"missingKey"`
	Document   string `json:"document"`
}

type Answer struct {
	Output string `json:"output"`
	Phase  string `json:"phase"`
	Error  string `json:"error"`
	Source string `json:"source"`
}

func answer(q Question, plainData interface{}) (a Answer) {
	functions := docker
	if q.Functions == "buildx" {
		functions = buildx
	}
	t := template.New("").Funcs(functions)
	if q.MissingKey == "error" {
		t = t.Option("missingkey=error")
	}
	t, err := t.Parse(q.Template)
	if err != nil {
		return Answer{Phase: "parse", Error: err.Error()}
	}
	var data interface{} = plainData
	if q.Data == "typed" {
		data = image()
	}
	if q.Document != "" {
		decoded := &Image{}
		json.Unmarshal([]byte(q.Document), decoded)
		data = decoded
	}
	var out bytes.Buffer
	source := t.Root.String()
	if err := t.Execute(&out, data); err != nil {
		return Answer{Phase: "exec", Error: err.Error(), Source: source}
	}
	return Answer{Output: out.String(), Source: source}
}

func main() {
	var input struct {
		Plain     interface{} `json:"plain"`
		Questions []Question  `json:"questions"`
	}
	decoder := json.NewDecoder(os.Stdin)
	decoder.UseNumber()
	if err := decoder.Decode(&input); err != nil {
		panic(err)
	}
	data := plain(input.Plain)
	answers := make([]Answer, len(input.Questions))
	for i, q := range input.Questions {
		answers[i] = answer(q, data)
	}
	if err := json.NewEncoder(os.Stdout).Encode(answers); err != nil {
		panic(err)
	}
}
