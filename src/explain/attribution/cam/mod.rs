//! Class activation maps: weighted sums of the feature maps of a layer.

pub mod class_activation_map;
pub mod grad_cam;
pub mod grad_cam_pp;
pub mod layer_cam;
pub mod score_cam;
