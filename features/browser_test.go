package features

import (
	"cmp"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/playwright-community/playwright-go"
)

// browser is one Chromium for the whole test binary; each scenario has contexts of its own in it.
var browser struct {
	sync.Mutex
	driver *playwright.Playwright
	chrome playwright.Browser
}

func chromium(t testing.TB) playwright.Browser {
	t.Helper()
	browser.Lock()
	defer browser.Unlock()
	if browser.chrome != nil {
		return browser.chrome
	}
	root, err := filepath.Abs("..")
	must(t, err)
	driver := cmp.Or(os.Getenv("PITSTOP_PLAYWRIGHT"), filepath.Join(root, ".cache", "playwright"))
	program := cmp.Or(os.Getenv("PITSTOP_CHROMIUM"), "/usr/bin/chromium")
	browser.driver, err = playwright.Run(&playwright.RunOptions{DriverDirectory: driver, SkipInstallBrowsers: true, Verbose: false})
	if err != nil {
		t.Fatalf("the browser's driver does not start; run `make browser`: %v", err)
	}
	browser.chrome, err = browser.driver.Chromium.Launch(playwright.BrowserTypeLaunchOptions{
		ExecutablePath: playwright.String(program),
		Args: []string{
			"--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
			"--disable-background-networking", "--disable-component-update", "--disable-sync",
		},
	})
	if err != nil {
		t.Fatalf("the browser %s does not start; run `make browser`: %v", program, err)
	}
	return browser.chrome
}

func closeBrowser() {
	if browser.chrome != nil {
		_ = browser.chrome.Close()
		_ = browser.driver.Stop()
	}
}

// look is how a person looks at the panel.
type look struct {
	phone, dark, noScript bool
	zone                  string // of the person's own clock; empty: the machine's
}

// tab opens a page in a browser of its own. What the page reports as wrong fails the test.
func tab(t testing.TB, l look) playwright.Page {
	t.Helper()
	size := &playwright.Size{Width: 1280, Height: 800}
	if l.phone {
		size = &playwright.Size{Width: 390, Height: 844}
	}
	scheme := playwright.ColorSchemeLight
	if l.dark {
		scheme = playwright.ColorSchemeDark
	}
	options := playwright.BrowserNewContextOptions{
		Viewport: size, ColorScheme: scheme, JavaScriptEnabled: playwright.Bool(!l.noScript),
		HasTouch: playwright.Bool(l.phone), IsMobile: playwright.Bool(l.phone), ReducedMotion: playwright.ReducedMotionReduce,
	}
	if l.zone != "" {
		options.TimezoneId = playwright.String(l.zone)
	}
	person, err := chromium(t).NewContext(options)
	must(t, err)
	t.Cleanup(func() { _ = person.Close() })
	page, err := person.NewPage()
	must(t, err)
	page.SetDefaultTimeout(float64(patience.Milliseconds()))
	page.OnPageError(func(err error) { t.Errorf("the page's script failed: %v", err) })
	page.OnConsole(func(m playwright.ConsoleMessage) {
		if m.Type() == "error" {
			t.Logf("the page's console: %s", m.Text())
		}
	})
	return page
}

// open goes to an address of the panel.
func open(t testing.TB, page playwright.Page, url string) {
	t.Helper()
	if _, err := page.Goto(url, playwright.PageGotoOptions{WaitUntil: playwright.WaitUntilStateDomcontentloaded}); err != nil {
		t.Fatalf("cannot open %s: %v", url, err)
	}
}

// see waits until the page shows an element with this text.
func see(t testing.TB, page playwright.Page, selector, text string) {
	t.Helper()
	found := page.Locator(selector).Filter(playwright.LocatorFilterOptions{HasText: text}).First()
	if err := found.WaitFor(); err != nil {
		content, _ := page.Locator("main").InnerText()
		t.Fatalf("the page %s does not show %q in %s: %v\n%s", page.URL(), text, selector, err, content)
	}
}
