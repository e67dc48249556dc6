/** The pages in the order of the menus. */
import { readdirSync, readFileSync } from 'node:fs';
import { docs } from './files.mjs';

/** @param {string} text @param {string} link */
const page = (text, link) => ({ text, link });
/** The heading of a page. @param {string} file */
const readHeading = (file) =>
  (/^# (.+)$/m.exec(readFileSync(`${docs}/${file}`, 'utf8'))?.[1] ?? file).replaceAll('`', '');
/** The pages of a folder but its first, by name. @param {string} folder */
const pagesIn = (folder) =>
  readdirSync(`${docs}/${folder}`)
    .filter((name) => name.endsWith('.md') && name !== 'README.md')
    .map((name) => page(readHeading(`${folder}/${name}`), `/${folder}/${name.slice(0, -3)}`));

/** Those of packages; the others of that folder stand above them. */
const packagePages = pagesIn('api').filter(({ text }) => text.startsWith('@grok/'));

export const nav = [
  page('Guides', '/get-started'),
  page('Reference', '/api/'),
  page('Results', '/results/reproduction'),
];

export const sidebar = [
  {
    text: 'Start',
    items: [
      page('Get started', '/get-started'),
      page('All of grok on one page', '/guides/all-of-grok'),
    ],
  },
  {
    text: 'Guides',
    items: [
      page('Reproduce the paper', '/guides/reproduce'),
      page('Write a strategy', '/guides/writing-a-plugin'),
      page('Sweep and compare', '/guides/sweep-and-compare'),
      page('Look inside', '/guides/look-inside'),
      page('Find what a student inherited', '/guides/find-what-a-student-inherited'),
      page('Use runs from Python', '/guides/from-python'),
      page('Use several machines', '/guides/several-machines'),
      page('Run a study on a queue', '/guides/queue'),
      page('Run a study on Slurm', '/guides/slurm'),
      page('Trackers', '/guides/trackers'),
      page('Deploy', '/guides/deploy'),
      page('The web page', '/guides/web'),
    ],
  },
  {
    text: 'Reference',
    items: [
      page('Command line', '/api/cli'),
      page('Specification of a run', '/api/experiment'),
      page('Plan of a study', '/api/plan'),
      page('Options of an experiment', '/reference/experiments'),
      page('Components', '/api/components'),
      page('Sites', '/reference/sites'),
      page('Backends', '/reference/backends'),
      page('Errors and exit codes', '/reference/errors'),
      { text: 'Packages', link: '/api/', collapsed: true, items: packagePages },
    ],
  },
  {
    text: 'Results',
    items: [
      page('The reproduction', '/results/reproduction'),
      page('The preset nanda', '/results/nanda'),
      page('Circuits of three seeds', '/results/circuits'),
    ],
  },
  {
    text: 'Notes',
    items: [
      ...pagesIn('notes'),
      { text: 'Decisions', link: '/decisions/', collapsed: true, items: pagesIn('decisions') },
    ],
  },
];
