
(() => {
  'use strict';
  const key = 'harbor-scan-exporter-token';
  const one = id => document.getElementById(id);
  // Where the exporter is served, which a proxy may do below a path of its own. Without the user and password that an address may hold: nothing can be asked with them in it.
  const root = new URL(one('main').dataset.root, location.origin + location.pathname);
  let timer = 0;
  let asking = false;
  // What was asked to be written is not answered yet.
  let working = false;

  // The token is sent as Bearer and nothing else is; without one the browser sends what its own dialog was given.
  const ask = (address, token) => fetch(new URL('status' + address, root), {
    headers: token ? { Authorization: 'Bearer ' + token, Accept: 'text/html' } : { Accept: 'text/html' },
    credentials: token ? 'omit' : 'same-origin',
    cache: 'no-store',
  });

  // What a failed answer means, or null when the answer is a page.
  const failure = async answer => {
    if (answer.ok || answer.status === 400) return null;
    if (answer.status === 401) return 'This token is not accepted.';
    const detail = await answer.json().then(problem => problem.detail, () => 'The exporter answered ' + answer.status + '.');
    return visible(detail);
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
      // What a person is asked, and what came of it, is no part of the page's own text.
      if (same.nodeType === Node.ELEMENT_NODE && same.dataset.kept !== undefined) continue;
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
    for (const button of page.querySelectorAll('[data-act]')) {
      button.hidden = false;
      button.disabled ||= working;
    }
    const byHand = page.getElementById('repair-by-hand');
    if (byHand) byHand.hidden = true;
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

  // Asks a person whether the button's act is meant, and for the token where there is none that may write.
  const confirm = button => {
    const { act, title, text, list, yes, share } = button.dataset;
    const dialog = one('confirm');
    dialog.dataset.act = act;
    dialog.dataset.undo = button.dataset.undo || '';
    one('confirm-title').textContent = title;
    one('confirm-text').textContent = text;
    one('confirm-list').replaceChildren(...list.split('\n').map(line => element('li', line)));
    one('confirm-yes').textContent = yes;
    one('confirm-problem').textContent = '';
    one('confirm-note').value = '';
    one('confirm-token').value = '';
    one('confirm-token-line').hidden = !!sessionStorage.getItem(key);
    one('confirm-token').required = !sessionStorage.getItem(key);
    one('confirm-share-line').hidden = share === undefined;
    one('confirm-share').checked = false;
    one('confirm-share').required = share !== undefined;
    dialog.showModal();
    one(sessionStorage.getItem(key) ? 'confirm-no' : 'confirm-token').focus();
  };

  const confirmed = async () => {
    const dialog = one('confirm');
    const { act, undo } = dialog.dataset;
    const note = one('confirm-note').value.trim();
    const share = one('confirm-share').checked;
    let token = sessionStorage.getItem(key);
    if (!token) {
      // Tried on something that costs nothing, so that a mistyped token can be mended here.
      token = one('confirm-token').value.trim();
      try {
        const problem = await failure(await fetch(new URL('api/v1/openapi.yaml', root), { headers: { Authorization: 'Bearer ' + token }, credentials: 'omit', cache: 'no-store' }));
        if (problem) return one('confirm-problem').textContent = problem;
      } catch (error) {
        return one('confirm-problem').textContent = 'The exporter does not answer.';
      }
      sessionStorage.setItem(key, token);
    }
    dialog.close();
    working = true;
    dress(document);
    tell(act === 'undo' ? 'Taking it back.' : 'Working. It looks again first, which may take a minute.');
    try {
      if (act === 'undo') await post('api/v1/repairs/' + undo + '/undo', { actor: 'status page', note }, token, taken);
      else await post('api/v1/repairs', { mode: act, override_share: share, actor: 'status page', note }, token, ended);
    } catch (error) {
      tell('The exporter does not answer. What it wrote until then is below once it does.', [], true);
    }
    working = false;
    await refresh();
  };

  const post = async (address, body, token, told) => {
    if (!body.note) delete body.note;
    const answer = await fetch(new URL(address, root), {
      method: 'POST',
      headers: { Authorization: 'Bearer ' + token, 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
      credentials: 'omit',
      cache: 'no-store',
    });
    // A run that failed is told like one that ended; every other refusal says why.
    const said = await answer.json().catch(() => ({}));
    if (answer.ok || said.run) told(said);
    else tell(answer.status === 401 ? 'This token is not accepted.' : said.detail || 'The exporter answered ' + answer.status + '.', [], true);
  };

  const words = {
    clean: 'Nothing is left to be repaired.',
    left: 'Something is left alone; the reasons are above.',
    blocked: 'Something holds repairs.',
    busy: 'Another run is under way.',
    failed: 'It could not be done.',
  };

  const ended = run => {
    const count = state => run.repairs.filter(repair => repair.state === state).length;
    const dry = run.mode !== 'execute';
    const parts = [
      [count('done'), dry ? 'would be done' : 'done'], [count('no_effect'), 'without effect'], [count('intended'), dry ? 'would be asked for' : 'under way'],
      [count('failed'), 'failed'],
    ].filter(([number]) => number > 0).map(([number, word]) => number + ' ' + word);
    const lead = (dry ? 'Tried and rolled back: ' : 'Run ' + run.run + ': ') + (parts.join(', ') || 'nothing was done') + '. ';
    tell(lead + (run.problem || (dry ? '' : words[run.end] || '')), run.repairs.map(repair =>
      repair.action + ' of ' + repair.finding + ': ' + repair.state + (repair.failure ? ' (' + repair.failure + ')' : '') + '. ' + repair.text),
    run.end === 'failed' || run.end === 'blocked' || count('failed') > 0);
  };

  const taken = undo => tell('Repair ' + undo.id + ' is taken back.');

  // What would hide itself or turn the direction of what follows stands there as an escape, as in the page itself.
  const visible = text => text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, mark => mark.codePointAt(0) > 0xffff
    ? '\\U' + mark.codePointAt(0).toString(16).toUpperCase().padStart(8, '0')
    : '\\u' + mark.codePointAt(0).toString(16).toUpperCase().padStart(4, '0'));

  const element = (name, text) => {
    const made = document.createElement(name);
    made.textContent = visible(text);
    return made;
  };

  // Says what came of it, in place.
  const tell = (sentence, lines = [], bad = false) => {
    const place = one('repair-result');
    if (!place) return stale(sentence);
    const list = document.createElement('ul');
    list.append(...lines.map(line => element('li', line)));
    place.classList.toggle('bad', bad);
    place.replaceChildren(element('p', sentence), ...lines.length ? [list] : []);
  };

  document.addEventListener('submit', event => {
    event.preventDefault();
    if (event.target.id === 'confirm-form') return confirmed();
    if (event.target.id === 'sign-in') return signIn(one('token').value.trim());
    const given = new URLSearchParams([...new FormData(event.target)].filter(([, value]) => value !== ''));
    go('?' + given, true);
  });
  document.addEventListener('click', async event => {
    if (event.target.id === 'now') return refresh();
    if (event.target.id === 'confirm-no') return one('confirm').close();
    if (event.target.dataset.act && event.target.matches('button')) return confirm(event.target);
    if (event.target.id === 'forget') {
      sessionStorage.removeItem(key);
      return location.assign(root);
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
