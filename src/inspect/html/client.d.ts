/** The text of client.js, imported as such. */
declare const text: string
export default text
