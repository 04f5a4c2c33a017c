// Streamlit adds an entry to the browser's history whenever a page changes its query, and Back
// would need a press for each. From here on, a page replaces its own entry.

const PATCHED = "__oneEntryAPage";

export default function ({ data, setStateValue }) {
  if (!window[PATCHED]) {
    window[PATCHED] = true;
    const push = history.pushState;
    history.pushState = function (state, unused, url) {
      const isSamePage = new URL(url ?? "", location.href).pathname === location.pathname;
      (isSamePage ? history.replaceState : push).call(history, state, unused, url);
    };
  }
  if (!data.known) setStateValue("ready", true);
}
