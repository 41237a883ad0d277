import { plainText } from './plain-text.ts';

/** The element of index.html with this id. */
export function byId(id: string): HTMLElement {
  const element = document.getElementById(id);
  if (!element) throw new Error(`the page has no #${id}`);
  return element;
}

/** The one element below `host` that fits. */
export function find<Found extends Element = HTMLElement>(
  selector: string,
  host: ParentNode = document,
): Found {
  const element = host.querySelector<Found>(selector);
  if (!element) throw new Error(`the page has no ${selector}`);
  return element;
}

/** A new element. Strings become text, never markup. */
export function make<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  properties: { readonly className?: string; readonly title?: string } = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name);
  Object.assign(element, properties);
  element.append(...children.map((child) => (typeof child === 'string' ? plainText(child) : child)));
  return element;
}

/** Writes only what is new, so that a selection and a screen reader's place survive. */
export function write(element: Element, text: string): void {
  const plain = plainText(text);
  if (element.textContent !== plain) element.textContent = plain;
}
