/**
 * Light, dark, or the system's choice; stored for this origin. Loaded and run before the page is rendered, so that a stored
 * theme applies from the first frame on.
 */
const THEMES = ['system', 'light', 'dark'] as const;
type Theme = (typeof THEMES)[number];

const KEY = 'forebay-theme';

let theme = storedTheme();
apply();

/** @param onChange called when the colours may have changed */
export function themeButton(button: HTMLButtonElement, onChange: () => void): void {
  const label = () => {
    button.querySelector('.theme-name')!.textContent = theme;
    button.setAttribute('aria-label', `Colours: ${theme}. Change`);
  };
  label();
  button.addEventListener('click', () => {
    theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
    store(theme);
    apply();
    label();
    onChange();
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', onChange);
}

function apply(): void {
  document.documentElement.dataset.theme = theme;
}

/** localStorage throws in browsers that are configured to store nothing. */
function storedTheme(): Theme {
  try {
    const kept = localStorage.getItem(KEY) as Theme;
    return THEMES.includes(kept) ? kept : 'system';
  } catch {
    return 'system';
  }
}

function store(chosen: Theme): void {
  try {
    localStorage.setItem(KEY, chosen);
  } catch {
    // Then the choice applies until the page is closed.
  }
}
