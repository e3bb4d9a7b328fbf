/**
 * Light, dark, or as the system has it; remembered for this address. Loaded ahead of the page and
 * run at once, so that a remembered theme is there from the first picture on.
 */
const THEMES = ['system', 'light', 'dark'] as const;
type Theme = (typeof THEMES)[number];

const KEY = 'forebay-theme';

let theme = remembered();
apply();

/** @param onChange the colours may have changed */
export function themeButton(button: HTMLButtonElement, onChange: () => void): void {
  const label = () => {
    button.querySelector('.theme-name')!.textContent = theme;
    button.setAttribute('aria-label', `Colours: ${theme}. Change`);
  };
  label();
  button.addEventListener('click', () => {
    theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
    remember(theme);
    apply();
    label();
    onChange();
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', onChange);
}

function apply(): void {
  document.documentElement.dataset.theme = theme;
}

/** Browsers that are told to keep nothing throw. */
function remembered(): Theme {
  try {
    const kept = localStorage.getItem(KEY) as Theme;
    return THEMES.includes(kept) ? kept : 'system';
  } catch {
    return 'system';
  }
}

function remember(chosen: Theme): void {
  try {
    localStorage.setItem(KEY, chosen);
  } catch {
    // Then it holds until the page is closed.
  }
}
