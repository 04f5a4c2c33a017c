// Streamlit adds an entry to the browser's history whenever a page changes its query, and Back
// would need a press for each. From here on, a page replaces its own entry. It adds one for a page
// that is not the address's, too, such as one that the server still drew when Back was pressed.

const PATCHED = "__oneEntryAPage";

export default function ({ data, setStateValue }) {
  if (!window[PATCHED]) {
    window[PATCHED] = true;
    let wentBack = false;
    window.addEventListener("popstate", () => (wentBack = true));
    for (const press of ["pointerdown", "keydown"]) {
      window.addEventListener(press, () => (wentBack = false), true);
    }
    const push = history.pushState;
    history.pushState = function (state, unused, url) {
      const isSamePage = new URL(url ?? "", location.href).pathname === location.pathname;
      if (isSamePage) history.replaceState(state, unused, url);
      else if (!wentBack) push.call(history, state, unused, url);
    };
  }
  if (!data.known) setStateValue("ready", true);
}
