/** Entry of the timeline's page. */
import './style/theme.css';
import './style/page.css';
import './style/toolbar.css';
import './style/lanes.css';
import './style/table.css';
import './style/figures.css';
import './style/notes.css';
import './style/details.css';
import './style/state.css';
import './style/sizes.css';
import { Timeline } from './view/timeline';

const root = document.getElementById('timeline');
if (root) new Timeline(root);
