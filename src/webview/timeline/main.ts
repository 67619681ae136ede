/** Entry of the timeline's page. */
import './timeline.css';
import { Timeline } from './view/timeline';

const root = document.getElementById('timeline');
if (root) new Timeline(root);
