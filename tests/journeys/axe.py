"""What every page must be: free of what axe-core finds, named, and no wider than the screen."""

from __future__ import annotations

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

# Each width and each scheme once; a rule of axe depends on one of the two at most.
LOOKS = [(360, "light"), (1280, "dark")]

RUN = """async () => {
  const found = await axe.run(document, {resultTypes: ["violations"]});
  return found.violations.flatMap(({id, nodes}) => nodes.map(({target}) => `${id}: ${target}`));
}"""
NAMES = """() => [
  document.documentElement.lang ? "" : "no language",
  /^\\S.* · Fairline$|^#[\\d,]+ - ./.test(document.title) ? "" : `title: ${document.title}`,
  document.querySelectorAll("h1").length === 1 ? "" : "not one h1",
].filter(Boolean)"""
TWO_FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
OVERFLOW = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


def faults(page: Page) -> list[str]:
    """Return what is wrong with the page as it stands, in narrow and wide, light and dark."""
    found = list(page.evaluate(NAMES))
    page.evaluate(AXE_SCRIPT)
    for width, scheme in LOOKS:
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        # A script that follows the scheme has done so by the second frame.
        page.evaluate(TWO_FRAMES)
        found += [f"{width} {scheme} {fault}" for fault in page.evaluate(RUN)]
        overflow = page.evaluate(OVERFLOW)
        found += [f"{width}: {overflow} px too wide"] if overflow > 0 else []
    return found
