/** Entry of the DAX Window view's page. */
import './dax.css';
import { DaxPage } from './view/daxPage';

const root = document.getElementById('dax');
if (root) new DaxPage(root);
