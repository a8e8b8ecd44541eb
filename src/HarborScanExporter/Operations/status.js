
(() => {
  'use strict';
  const key = 'harbor-scan-exporter-token';
  const one = id => document.getElementById(id);
  let timer = 0;
  let asking = false;

  // The token is sent as Bearer and nothing else is; without one the browser sends what its own dialog was given.
  const ask = (address, token) => fetch(location.origin + '/status' + address, {
    headers: token ? { Authorization: 'Bearer ' + token, Accept: 'text/html' } : { Accept: 'text/html' },
    credentials: token ? 'omit' : 'same-origin',
    cache: 'no-store',
  });

  // What a failed answer means, or null when the answer is a page.
  const failure = async answer => {
    if (answer.ok || answer.status === 400) return null;
    if (answer.status === 401) return 'This token is not accepted.';
    const detail = await answer.json().then(problem => problem.detail, () => 'The exporter answered ' + answer.status + '.');
    return detail;
  };

  // Makes one element like another, touching only what differs: what is open, focused, selected or scrolled to stays so.
  const morph = (from, to) => {
    for (const { name } of [...from.attributes]) if (!to.hasAttribute(name) && name !== 'open' && name !== 'tabindex') from.removeAttribute(name);
    for (const { name, value } of to.attributes) if (from.getAttribute(name) !== value) from.setAttribute(name, value);
    const known = new Map([...from.children].filter(child => child.id).map(child => [child.id, child]));
    let at = from.firstChild;
    for (const wanted of [...to.childNodes]) {
      let same = wanted.id ? known.get(wanted.id) : at && !at.id && at.nodeName === wanted.nodeName ? at : null;
      if (!same) {
        from.insertBefore(document.importNode(wanted, true), at);
        continue;
      }
      if (same === at) at = at.nextSibling;
      else from.insertBefore(same, at);
      if (same.nodeType === Node.ELEMENT_NODE) morph(same, wanted);
      else if (same.nodeValue !== wanted.nodeValue) same.nodeValue = wanted.nodeValue;
    }
    while (at) {
      const next = at.nextSibling;
      at.remove();
      at = next;
    }
  };

  const show = text => {
    const page = new DOMParser().parseFromString(text, 'text/html');
    dress(page);
    morph(one('main'), page.getElementById('main'));
    document.title = page.title;
    document.querySelector('link[rel=icon]').href = page.querySelector('link[rel=icon]').getAttribute('href');
    schedule();
  };

  // With script the page refreshes itself in place, and what does so can be stopped and started here.
  const dress = page => {
    const looked = page.getElementById('looked');
    if (!looked) return;
    page.getElementById('now').hidden = false;
    page.getElementById('forget').hidden = !sessionStorage.getItem(key);
  };

  const interval = () => Number(one('looked')?.dataset.refresh || 0);

  const schedule = () => {
    clearTimeout(timer);
    if (interval() > 0) timer = setTimeout(tick, interval() * 1000);
  };

  const tick = () => {
    // A hidden tab asks nothing of Harbor, and text that is being copied is not taken away.
    if (document.hidden || !getSelection().isCollapsed) schedule();
    else refresh();
  };

  const refresh = async () => {
    if (asking) return;
    asking = true;
    const token = sessionStorage.getItem(key);
    try {
      const answer = await ask(location.search, token);
      const problem = await failure(answer);
      if (problem) stale(problem);
      else show(await answer.text());
      if (answer.status === 401 && token) {
        sessionStorage.removeItem(key);
        location.reload();
      }
    } catch (error) {
      stale('The exporter does not answer.');
    } finally {
      asking = false;
    }
  };

  const stale = problem => {
    const place = one('stale');
    if (place) place.textContent = problem + ' What you see is not refreshed since the time above.';
    schedule();
  };

  // Goes to another address of this page without leaving it.
  const go = async (address, push) => {
    try {
      const answer = await ask(address, sessionStorage.getItem(key));
      const problem = await failure(answer);
      if (problem) return stale(problem);
      if (push) history.pushState(null, '', location.pathname + address);
      show(await answer.text());
      // What the form shows is what the address says.
      one('filter')?.reset();
    } catch (error) {
      stale('The exporter does not answer.');
    }
  };

  const signIn = async token => {
    let problem = null;
    try {
      const answer = await ask(location.search, token);
      problem = await failure(answer);
      if (!problem) {
        sessionStorage.setItem(key, token);
        show(await answer.text());
        one('main').focus();
        return;
      }
    } catch (error) {
      problem = 'The exporter does not answer.';
    }
    one('sign-in').hidden = false;
    one('token-problem').textContent = problem;
  };

  document.addEventListener('submit', event => {
    event.preventDefault();
    if (event.target.id === 'sign-in') return signIn(one('token').value.trim());
    const given = new URLSearchParams([...new FormData(event.target)].filter(([, value]) => value !== ''));
    go('?' + given, true);
  });
  document.addEventListener('click', async event => {
    if (event.target.id === 'now') return refresh();
    if (event.target.id === 'forget') {
      sessionStorage.removeItem(key);
      return location.assign('/');
    }
    const link = event.target.closest('a');
    if (!link || !link.getAttribute('href').startsWith('?') || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const turns = link.closest('#paging');
    await go(link.getAttribute('href'), true);
    if (turns) one('findings')?.scrollIntoView();
  });
  addEventListener('popstate', () => go(location.search, false));
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden && interval() > 0) refresh();
  });

  if (!one('shell')) {
    dress(document);
    schedule();
  } else if (sessionStorage.getItem(key)) {
    signIn(sessionStorage.getItem(key));
  } else {
    one('sign-in').hidden = false;
    one('token').focus();
  }
})();
