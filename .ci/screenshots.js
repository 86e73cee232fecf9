// screenshots.js URL FOLDER: each page as a person sees it.
const { chromium } = require(process.env.PITSTOP_PLAYWRIGHT + '/package')

const [url, folder] = process.argv.slice(2)
const pages = { overview: '/', config: '/config', schedule: '/schedule', history: '/history' }
const desk = { width: 1280, height: 800 }, phone = { width: 390, height: 844 }
const shots = [
  ['light', desk], ['dark', desk], ['light', phone], ['dark', phone],
].flatMap(([scheme, size]) => Object.keys(pages).map((page) => ({ page, scheme, size })))
// The README shows these; the others are for whoever changes a page.
const shown = ['config-light-1280', 'schedule-light-1280', 'overview-dark-390', 'history-dark-390']
const kept = process.env.ALL ? shots : shots.filter((s) => shown.includes(`${s.page}-${s.scheme}-${s.size.width}`))

;(async () => {
  const browser = await chromium.launch({
    executablePath: process.env.PITSTOP_CHROMIUM,
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  })
  for (const { page, scheme, size } of kept) {
    const person = await browser.newContext({ viewport: size, colorScheme: scheme, isMobile: size === phone, hasTouch: size === phone })
    const tab = await person.newPage()
    await tab.goto(url + pages[page])
    await tab.waitForLoadState('load')
    if (page === 'config' && size === desk) await tab.fill('[name="risk.max_order_usd"]', '1200')
    await tab.waitForTimeout(1500) // the stream's first snapshot, and the review of what was typed
    await tab.screenshot({ path: `${folder}/${page}-${scheme}-${size.width}.png` })
    await person.close()
  }
  await browser.close()
})()
