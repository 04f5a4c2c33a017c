// Hands pictures that are pasted anywhere on the page to the file uploader on it.

export default function () {
  const take = (event) => {
    const files = [...(event.clipboardData?.files ?? [])].filter((file) =>
      file.type.startsWith("image/"),
    );
    const input = document.querySelector('[data-testid="stFileUploaderDropzoneInput"]');
    if (!files.length || !input || input.disabled) return;
    event.preventDefault();
    const chosen = new DataTransfer();
    files.forEach((file) => chosen.items.add(file));
    input.files = chosen.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  };
  document.addEventListener("paste", take);
  return () => document.removeEventListener("paste", take);
}
