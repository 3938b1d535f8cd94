// Sets the colour scheme before the first paint, so that a dark page never flashes white. Reads the same key as the toggle.
;(function () {
  var wanted = localStorage.getItem('sonde-color-scheme')
  var dark = wanted === 'dark' || (wanted !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches)
  document.documentElement.setAttribute('data-mantine-color-scheme', dark ? 'dark' : 'light')
})()
