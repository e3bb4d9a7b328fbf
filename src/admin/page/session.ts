/** The answer of /login/state. */
interface LoginState {
  readonly needsLogin: boolean;
  readonly isIn: boolean;
}

/** Shows the button that logs out, if this server asks for a login. */
export async function offerLogout(button: HTMLButtonElement): Promise<void> {
  const state = await readState();
  if (state === null || !state.needsLogin) return;
  button.hidden = false;
  button.addEventListener('click', async () => {
    await fetch('/logout', { method: 'POST' });
    location.replace('/');
  });
}

/** Goes to the login form, if the server answers and no longer knows this browser. */
export async function leaveIfLoggedOut(): Promise<void> {
  const state = await readState();
  if (state !== null && !state.isIn) location.replace('/');
}

/** Null if the server does not answer. */
export async function readState(): Promise<LoginState | null> {
  try {
    const response = await fetch('/login/state');
    return response.ok ? ((await response.json()) as LoginState) : null;
  } catch {
    return null;
  }
}
