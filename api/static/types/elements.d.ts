// Elements of ours, for `h` and `document.createElement` (follow_buttons.js).
interface HTMLElementTagNameMap {
  "follow-buttons": HTMLElement;
}
