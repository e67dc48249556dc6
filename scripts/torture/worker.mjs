/** One of several processes that damage documents; it reports its position, so that a read that never ends is found. */
import { mutateDocuments } from './documents.mjs';
import { documentKinds } from './kinds.mjs';

const [mutations = 0, seed = 1, from = 0] = process.argv.slice(2).map(Number);
const kinds = await documentKinds();
const onBegin = (/** @type {number} */ at) => {
  if (at % 50 === 0) process.send?.({ at });
};
const result = await mutateDocuments({ mutations, seed, kinds, from, onBegin });
process.send?.({ result }, () => process.disconnect());
