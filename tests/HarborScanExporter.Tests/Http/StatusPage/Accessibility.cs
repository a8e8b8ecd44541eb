namespace HarborScanExporter.Tests.Http.StatusPage;

/// <summary>What a page must have so that everyone can use it (WCAG 2.2, levels A and AA), as far as a program can see it.</summary>
internal static class Accessibility
{
    /// <summary>An expression whose value is an array of sentences, one for each fault.</summary>
    public const string Checks = """
        (() => {
          const faults = [];
          const all = selector => [...document.querySelectorAll(selector)];
          const shown = element => element.checkVisibility({ checkVisibilityCSS: true });
          const name = element => (element.ariaLabel || [...(element.labels || [])].map(label => label.textContent).join(' ') || element.textContent || '').trim();
          if (document.documentElement.lang !== 'en') faults.push('no language');
          if (!document.title.trim()) faults.push('no title');
          for (const [selector, count] of [['main', 1], ['h1', 1], ['meta[name=viewport]', 1]]) if (all(selector).length !== count) faults.push(`${all(selector).length} of ${selector}`);
          let level = 0;
          for (const heading of all('h1, h2, h3, h4')) {
            const next = Number(heading.tagName[1]);
            if (next > level + 1) faults.push(`heading ${heading.textContent} skips a level`);
            level = next;
          }
          const ids = all('[id]').map(element => element.id);
          for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) faults.push(`two elements ${id}`);
          for (const attribute of ['aria-labelledby', 'aria-describedby', 'for'])
            for (const element of all(`[${attribute}]`)) for (const id of element.getAttribute(attribute).split(' ')) if (!ids.includes(id)) faults.push(`${attribute} ${id} leads nowhere`);
          for (const element of all('a, button, summary, input:not([type=hidden]), select, progress')) if (shown(element) && !name(element)) faults.push(`no name: ${element.outerHTML}`);
          for (const element of all('th')) if (!['col', 'row'].includes(element.scope)) faults.push(`no scope: ${element.outerHTML}`);
          for (const element of all('[onclick], [onload], [style], [tabindex]:not([tabindex="-1"])')) faults.push(`not wanted: ${element.outerHTML.slice(0, 80)}`);
          if (!all('a')[0].classList.contains('skip') || all('a')[0].getAttribute('href') !== '#main') faults.push('the first link does not skip');
          for (const element of all('a, button, summary, input:not([type=hidden]), select')) {
            if (!shown(element)) continue;
            element.focus({ focusVisible: true, preventScroll: true });
            const style = getComputedStyle(element);
            if (document.activeElement !== element) faults.push(`cannot be focused: ${element.outerHTML.slice(0, 80)}`);
            else if (style.outlineStyle === 'none' || parseFloat(style.outlineWidth) < 2) faults.push(`focus is not seen: ${element.outerHTML.slice(0, 80)}`);
            const box = element.getBoundingClientRect();
            if (element.matches('button, select, input') && box.height < 24) faults.push(`small target: ${element.outerHTML.slice(0, 80)}`);
          }
          document.activeElement.blur();
          if (document.documentElement.scrollWidth > innerWidth) faults.push(`wider than the window: ${document.documentElement.scrollWidth}`);
          for (const element of all('main *')) {
            const box = element.getBoundingClientRect();
            if (shown(element) && box.width > 0 && box.right > innerWidth + 1) faults.push(`sticks out: ${element.outerHTML.slice(0, 80)}`);
            const section = element.closest('section');
            if (shown(element) && section && box.width > 0 && box.right > section.getBoundingClientRect().right + 1) faults.push(`sticks out of its section: ${element.outerHTML.slice(0, 80)}`);
          }
          const channels = colour => colour.match(/[\d.]+/g).map(Number);
          const light = ([r, g, b]) => [r, g, b].map(value => value / 255).map(value => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4)
            .reduce((sum, value, index) => sum + value * [0.2126, 0.7152, 0.0722][index], 0);
          const ground = element => {
            for (let at = element; at; at = at.parentElement) {
              const colour = channels(getComputedStyle(at).backgroundColor);
              if (colour.length === 3 || colour[3] === 1) return colour;
            }
            return [255, 255, 255];
          };
          const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
          while (walker.nextNode()) {
            const element = walker.currentNode.parentElement;
            if (!walker.currentNode.nodeValue.trim() || !shown(element) || element.matches('script, style, noscript, option')) continue;
            const [text, back] = [light(channels(getComputedStyle(element).color)), light(ground(element))];
            const ratio = (Math.max(text, back) + 0.05) / (Math.min(text, back) + 0.05);
            if (ratio < 4.5) faults.push(`contrast ${ratio.toFixed(2)}: ${element.outerHTML.slice(0, 80)}`);
          }
          return faults;
        })()
        """;
}
