/** VitePress's theme, with what axe asks of it beside. */
import { useRoute } from 'vitepress';
import theme from 'vitepress/theme';
import { nextTick, onMounted, watch } from 'vue';
import './style.css';

/** Gives the first page a main landmark, and the search button the name that it shows. */
function mendNames() {
  document.querySelector('.VPHome')?.setAttribute('role', 'main');
  const search = document.querySelector('.DocSearch-Button');
  search?.removeAttribute('aria-label');
  search?.setAttribute('title', 'Search'); // its name on phones, where it is only an icon
}

export default {
  extends: theme,
  setup() {
    const route = useRoute();
    onMounted(mendNames);
    watch(
      () => route.path,
      () => nextTick(mendNames),
    );
  },
};
